"""Refuse data that would mislead: the suite fails the run and says what, where and which rows."""

import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from components.validate.columns import Columns
from components.validate.docs import Outcome, run_suites
from components.validate.frame import crops_frame, raw_frame
from components.validate.offending import write_offending
from components.validate.params import ValidateParams
from components.validate.suite import (
    face_expectations,
    raw_expectations,
    split_expectations,
    strata_expectations,
)
from components.validate.totals import splits_frame, strata_frame
from vultus.contracts.faces import FaceCrops, RawFaces, ValidationReport
from vultus.dataset.straddle import REASONS
from vultus.errors import BadArtifact, BadData

__all__ = ["ValidateReport", "validate_crops"]

logger = logging.getLogger(__name__)

Report = Callable[[FaceCrops, Path, RawFaces], object]
"""Crops, folder to write into, and the pictures they were cut from."""
Tables = dict[str, tuple[pd.DataFrame, list[Any]]]


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
    raw: Path,
    crops: Path,
    out: Path,
    params: ValidateParams,
    *,
    report: Report | None = None,
    made_by: str = "validate",
) -> ValidateReport:
    """Write a ValidationReport at `out`, if every expectation holds.

    Args:
        raw: the RawFaces folder that `crops` was cut from.
        crops: a FaceCrops folder.
        out: folder of the artifact. Where an expectation fails, its Data Docs and the offending
            rows lie in `<out>.refused/` instead.
        params: thresholds.
        report: writes the dataset report into a folder, whether the suites hold or not.
        made_by: for the manifest.
    Raises: BadArtifact, if the crops were cut from other pictures; BadData, naming the failing
        expectations, what was observed and where the rows lie.
    """
    start = time.monotonic()
    pictures, faces = RawFaces.open(raw), FaceCrops.open(crops)
    if faces.manifest.facts["raw_digest"] != pictures.digest:
        raise BadArtifact(f"{crops} was not cut from {raw}; hand over the folder it names")
    tables = _tables(pictures, faces, params)
    outcomes: list[Outcome] = []

    def fill(folder: Path) -> None:
        outcomes.extend(run_suites(tables, folder / "data_docs"))
        results = [outcome.facts() | {"rows": len(outcome.offending)} for outcome in outcomes]
        (folder / "results.json").write_text(json.dumps(results, indent=1, default=str))
        write_offending(
            outcomes,
            {name: frame for name, (frame, _) in tables.items()},
            {"raw": Columns(pictures), "faces": Columns(faces)},
            folder,
            params.max_offending_rows,
        )
        if report is not None:
            report(faces, folder, pictures)

    facts = {
        "raw_digest": pictures.digest,
        "crops_digest": faces.digest,
        "params": params.model_dump(mode="json"),
    }
    validation = ValidationReport.create(out, fill, made_by=made_by, facts=facts)
    failed = [outcome for outcome in outcomes if not outcome.success]
    if failed:
        raise BadData(_refuse(out, failed))
    rows = len(tables["faces"][0])
    logger.info("validate: %d expectations hold for %d faces", len(outcomes), rows)
    return ValidateReport(
        expectations=len(outcomes),
        rows=rows,
        seconds=time.monotonic() - start,
        digest=validation.digest,
    )


def _tables(pictures: RawFaces, faces: FaceCrops, params: ValidateParams) -> Tables:
    """Each table with what is expected of it."""
    frame = crops_frame(faces, params)
    reasons = faces.quarantine["reason"].to_pylist()
    splits = splits_frame(
        frame,
        pictures=faces.manifest.facts["pictures"],
        duplicates=sum(reason in REASONS.values() for reason in reasons),
    )
    strata = strata_frame(frame, params.stratify_by)
    return {
        "raw": (raw_frame(pictures, params), raw_expectations(params)),
        "faces": (frame, face_expectations(params)),
        "splits": (splits, split_expectations(params)),
        "strata": (strata, strata_expectations(params)),
    }


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
        + f"\noffending rows: {refused / 'offending.parquet'} (and .csv)"
        + f"\nData Docs: {refused / 'data_docs' / 'index.html'}"
        + (f"\ndataset report: {page}" if page.is_file() else "")
    )
