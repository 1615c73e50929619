"""Judge a Checkpoint on pictures it was not trained on; never looks at another model."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from components.evaluate import comparisons, presentations, sweeps
from components.evaluate.attempts import Attempts, VersionOf, recogniser_of
from components.evaluate.calibration import calibration_of
from components.evaluate.everybody import counts_table
from components.evaluate.lineage import lineage_of
from components.evaluate.liveness import evaluate_liveness
from components.evaluate.panel_figures import accepted_by_panel
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import evaluate_recognition
from components.evaluate.reference import liveness_rows, verify_rows
from components.evaluate.report_adversaries import adversarial_blocks, adversarial_figures
from components.evaluate.report_attempts import attempt_blocks, strength_blocks
from components.evaluate.report_conditions import condition_blocks
from components.evaluate.report_liveness import liveness_answer, liveness_blocks, liveness_limits
from components.evaluate.report_recognition import (
    recognition_answer,
    recognition_blocks,
    recognition_limits,
)
from components.evaluate.side_by_side import side_by_side
from components.evaluate.strengths import figures_of, strength_curves
from components.evaluate.unseen import left_out_of
from components.evaluate.verdicts import verdict_blocks
from components.evaluate.wording import TITLES, overall
from vultus.contracts.artifact import sha256_of, write_table
from vultus.contracts.evaluation import (
    CALIBRATION,
    COMPARISON_COUNTS,
    CONDITION_POINTS,
    FIGURES,
    LINEAGE,
    PAD_SCORES,
    PAD_TRIALS,
    RECOGNITION_SCORES,
    RECOGNITION_TRIALS,
    SEARCHES,
    SYSTEM_ATTEMPTS,
    THRESHOLDS,
    EvaluationReport,
    Figure,
)
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Store
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.contracts.words import Task, Verdict
from vultus.reports import Block, to_html, to_pdf

logger = logging.getLogger(__name__)


class EvaluateReport(BaseModel):
    """What was found, for people and for the KFP task."""

    model_config = ConfigDict(frozen=True)

    task: Task
    verdict: Verdict
    answer: str
    figures: tuple[Figure, ...]
    trials: int
    seconds: float

    def numbers(self) -> dict[str, float]:
        """Figures of the whole test split, for KFP's and MLflow's tables."""
        return {f.name: f.value for f in self.figures if f.slice == "all" and f.value is not None}

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        return {
            "task": self.task.value,
            "verdict": self.verdict.value,
            "answer": self.answer,
            "trials": self.trials,
            "seconds": round(self.seconds, 1),
            **self.numbers(),
        }


@dataclass(frozen=True)
class _Findings:
    """What becomes of one task: the files before they are written."""

    trials: pa.Table
    scores: pa.Table
    schemas: tuple[pa.Schema, pa.Schema]
    figures: list[Figure]
    points: pa.Table
    features: pa.Table
    facts: dict[str, object]
    answer: str
    blocks: list[Block]
    searches: pa.Table | None = None
    conditions: pa.Table | None = None
    system: pa.Table | None = None
    counts: pa.Table | None = None

    @property
    def verdict(self) -> Verdict:
        """Of all requirements together."""
        return overall(self.figures)


def evaluate_model(
    checkpoint: Path,
    crops: Path,
    out: Path,
    params: EvaluateParams,
    *,
    store: Store,
    made_by: str = "evaluate",
    threads: int = 1,
    version_of: VersionOf | None = None,
    weights: Path | None = None,
) -> EvaluateReport:
    """Write the EvaluationReport at `out`. Thresholds come from the validation split, figures from test.

    Args:
        checkpoint: Checkpoint of either task.
        crops: FaceCrops; of the train split only digests are read, for `lineage.parquet` and
            `calibration.parquet`.
        out: folder of the artifact; appears whole or not at all.
        params: trials, operating points, requirements.
        store: holds chips and contexts.
        made_by: for the manifest.
        threads: of the fixed PAD members; changes no result.
        version_of: opens a registered version, for `params.recogniser`.
        weights: folder of the pretrained files, for `params.beside`.
    Raises: NoTrials, if the validation split cannot set a threshold; BadParameter, BadArtifact, for
        the recogniser; StorageUnavailable.
    """
    began = time.monotonic()
    trained, faces = Checkpoint.open(checkpoint), FaceCrops.open(crops)
    if trained.task is Task.RECOGNITION:
        found = _recognition(trained, faces, params, store)
    else:
        found = _liveness(trained, faces, params, store, threads, version_of)
    beside = side_by_side(trained, faces.crops, params, store, weights)
    lineage = lineage_of(faces)
    seen = left_out_of(trained).without(faces.crops)
    pictures = calibration_of(seen, trained.task, params.calibration, params.seed)
    facts: dict[str, object] = {
        "task": trained.task.value,
        "checkpoint_digest": trained.digest,
        "crops_digest": faces.digest,
        "params": params.model_dump(mode="json"),
        "verdict": found.verdict.value,
        "answer": found.answer,
        **found.facts,
    }

    def fill(folder: Path) -> None:
        _write_tables(found, folder)
        write_table(lineage, LINEAGE, folder / "lineage.parquet")
        write_table(pictures, CALIBRATION, folder / "calibration.parquet")
        (folder / "figures.json").write_bytes(FIGURES.dump_json(found.figures, indent=1))
        _write_documents(folder, TITLES[trained.task], found, lineage, beside)
        # The manifest is written after the files: what is said of them here is in it.
        facts["trials_sha256"] = sha256_of(folder / "trials.parquet")

    EvaluationReport.create(out, fill, made_by=made_by, facts=facts)
    report = EvaluateReport(
        task=trained.task,
        verdict=found.verdict,
        answer=found.answer,
        figures=tuple(found.figures),
        trials=found.trials.num_rows,
        seconds=time.monotonic() - began,
    )
    logger.info("evaluate: done", extra=report.summary())
    return report


def _write_tables(found: _Findings, folder: Path) -> None:
    write_table(found.trials, found.schemas[0], folder / "trials.parquet")
    write_table(found.scores, found.schemas[1], folder / "scores.parquet")
    write_table(found.points, THRESHOLDS, folder / "thresholds.parquet")
    write_table(found.features, FEATURE_SCHEMA, folder / "reference_features.parquet")
    if found.searches is not None:
        write_table(found.searches, SEARCHES, folder / "searches.parquet")
    if found.conditions is not None:
        write_table(found.conditions, CONDITION_POINTS, folder / "conditions.parquet")
    if found.counts is not None:
        write_table(found.counts, COMPARISON_COUNTS, folder / "counts.parquet")
    if found.system is not None:
        write_table(found.system, SYSTEM_ATTEMPTS, folder / "system.parquet")


def _write_documents(
    folder: Path, title: str, found: _Findings, lineage: pa.Table, beside: list[Block]
) -> None:
    """The report twice; the standards stand right behind its first sentence, then other models."""
    first, *others = found.blocks
    standards = verdict_blocks(found.figures, found.scores, found.points, lineage)
    blocks = [first, *standards, *beside, *others]
    (folder / "report.html").write_text(to_html(title, blocks), encoding="utf-8")
    (folder / "report.pdf").write_bytes(to_pdf(title, blocks))


def _recognition(
    trained: Checkpoint, faces: FaceCrops, params: EvaluateParams, store: Store
) -> _Findings:
    from components.evaluate.adversaries import attack_embedder
    from vultus.networks.load import encoder_from

    result = evaluate_recognition(trained, faces, params, store)
    trials, scores = comparisons.tables([result.validation, result.test])
    worse = sweeps.sweep_conditions(
        result.test, result.threshold(params.fmr), params, encoder_from(trained), store
    )
    attacked = attack_embedder(trained, result.test, result.threshold(params.fmr), params, store)
    doubling = [sweep.doubles for sweep in worse if sweep.doubles is not None]
    return _Findings(
        trials=trials,
        scores=scores,
        schemas=(RECOGNITION_TRIALS, RECOGNITION_SCORES),
        figures=[
            *result.figures,
            *result.slices,
            *result.galleries,
            *doubling,
            *adversarial_figures(attacked),
        ],
        points=result.points,
        features=verify_rows(result, params),
        facts={"threshold": result.threshold(params.fmr), "fmr": params.fmr},
        answer=recognition_answer(result, params),
        blocks=[
            *recognition_blocks(result, params, store),
            *condition_blocks(worse, params),
            *adversarial_blocks(attacked, params),
            *recognition_limits(result, params),
        ],
        conditions=sweeps.table(worse),
        searches=result.searches.table(),
        counts=counts_table({one.split: one.every for one in (result.validation, result.test)}),
    )


def _liveness(
    trained: Checkpoint,
    faces: FaceCrops,
    params: EvaluateParams,
    store: Store,
    threads: int,
    version_of: VersionOf | None,
) -> _Findings:
    from components.evaluate.adversaries_pad import attack_member

    beside = recogniser_of(params, version_of)
    result = evaluate_liveness(trained, faces.crops, params, store, threads)
    accepted = accepted_by_panel(result.test, result.transform, result.thresholds)
    attempts = None
    if beside is not None:
        attempts = Attempts.of(faces.crops, result.test, accepted, beside, params, store)
    curves = strength_curves(result.test, accepted, params)
    attacked = attack_member(trained, result, params, store)
    trials, scores = presentations.tables([result.validation, result.test])
    return _Findings(
        trials=trials,
        scores=scores,
        schemas=(PAD_TRIALS, PAD_SCORES),
        figures=[
            *result.figures,
            *(attempts.figures if attempts else ()),
            *result.slices,
            *figures_of(curves),
            *adversarial_figures(attacked),
        ],
        points=result.points,
        features=liveness_rows(result, params),
        facts={
            "member_thresholds": {name: result.thresholds[name] for name in result.chosen},
            "threshold_basis": result.chosen,
            "evidence": {m.name: m.evidence.value for m in result.transform.members},
        },
        answer=liveness_answer(result),
        blocks=[
            *liveness_blocks(result, params, store),
            *attempt_blocks(attempts, result.figures, params),
            *strength_blocks(curves, params),
            *adversarial_blocks(attacked, params),
            *liveness_limits(result),
        ],
        system=None if attempts is None else attempts.table,
    )
