"""Refuse data that would mislead: the suite fails the run and says what, where and which rows."""

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from components.validate.docs import Outcome, run_suites
from components.validate.frame import crops_frame, splits_frame
from components.validate.suite import ValidateParams, face_expectations, split_expectations
from vultus.contracts.faces import FaceCrops, ValidationReport
from vultus.errors import BadData

__all__ = ["ValidateParams", "ValidateReport", "validate_crops"]

logger = logging.getLogger(__name__)


class ValidateReport(BaseModel):
    """What was asked of the data, and that it held."""

    model_config = ConfigDict(frozen=True)

    expectations: int
    rows: int
    seconds: float
    digest: str

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        return self.model_dump()


def validate_crops(
    crops: Path,
    out: Path,
    params: ValidateParams,
    *,
    report: Callable[[FaceCrops, Path], object] | None = None,
    made_by: str = "validate",
) -> ValidateReport:
    """Write a ValidationReport at `out`, if every expectation holds.

    Args:
        crops: a FaceCrops folder.
        out: folder of the artifact. Where an expectation fails, its Data Docs and the offending
            rows lie in `<out>.refused/` instead.
        params: thresholds.
        report: writes the dataset report into a folder, whether the suite holds or not.
    Raises: BadData, naming the failing expectations, what was observed and where the rows lie.
    """
    start = time.monotonic()
    artifact = FaceCrops.open(crops)
    faces = crops_frame(artifact.crops)
    splits = splits_frame(artifact.crops, artifact.manifest.facts["pictures"])
    tables = {
        "faces": (faces, face_expectations(params)),
        "splits": (splits, split_expectations(params)),
    }
    outcomes: list[Outcome] = []

    def fill(folder: Path) -> None:
        outcomes.extend(run_suites(tables, folder / "data_docs"))
        (folder / "results.json").write_text(
            json.dumps([asdict(outcome) for outcome in outcomes], indent=1, default=str)
        )
        frames = {"faces": faces, "splits": splits}
        _offending(outcomes, frames).to_parquet(folder / "offending.parquet")
        if report is not None:
            report(artifact, folder)

    facts = {"crops_digest": artifact.digest, "params": params.model_dump(mode="json")}
    validation = ValidationReport.create(out, fill, made_by=made_by, facts=facts)
    failed = [outcome for outcome in outcomes if not outcome.success]
    if failed:
        raise BadData(_refuse(out, failed))
    logger.info("validate: %d expectations hold for %d faces", len(outcomes), len(faces))
    return ValidateReport(
        expectations=len(outcomes),
        rows=len(faces),
        seconds=time.monotonic() - start,
        digest=validation.digest,
    )


def _offending(outcomes: list[Outcome], frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows that break an expectation, with its name; empty where all hold."""
    parts = [
        frames[outcome.table]
        .iloc[list(outcome.offending)]
        .assign(expectation=f"{outcome.expectation}({outcome.column})")
        .astype(str)
        for outcome in outcomes
        if not outcome.success and outcome.offending
    ]
    return pd.concat(parts) if parts else pd.DataFrame({"expectation": pd.Series(dtype=str)})


def _refuse(out: Path, failed: list[Outcome]) -> str:
    """Move the finished folder aside, so that no later step can take it for a passed one."""
    refused = out.with_name(f"{out.name}.refused")
    shutil.rmtree(refused, ignore_errors=True)
    out.rename(refused)
    lines = [
        f"{outcome.table}.{outcome.column}: {outcome.expectation} {outcome.asked} "
        f"but observed {outcome.observed}"
        for outcome in failed
    ]
    page = refused / "report.html"
    return (
        f"{len(failed)} expectations failed:\n  "
        + "\n  ".join(lines)
        + f"\noffending rows: {refused / 'offending.parquet'}"
        + f"\nData Docs: {refused / 'data_docs' / 'index.html'}"
        + (f"\ndataset report: {page}" if page.is_file() else "")
    )
