"""Checkpoint and EvaluationReport -> OnnxModel: networks for any runtime, with their thresholds.

torch is imported inside `export_model`: this package is also imported where pipelines are compiled.
"""

import logging
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from components.export.params import ExportParams
from vultus.contracts.arrays import Tensor
from vultus.contracts.artifact import sha256_of
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import Checkpoint, OnnxModel, Parity
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, PanelMember, RecognitionTransform
from vultus.contracts.words import Task
from vultus.errors import BadArtifact

logger = logging.getLogger(__name__)
MADE_BY = "components.export"
MODEL = "model.onnx"


class ExportReport(BaseModel):
    """What came out, for people and for the KFP task."""

    model_config = ConfigDict(frozen=True)

    task: Task
    parity: Parity
    files: dict[str, int] = Field(description="ONNX file -> bytes")
    int8: str = Field(default="", description="what became of the int8 forms; empty: not asked for")
    seconds: float

    def summary(self) -> dict[str, str | int | float]:
        """Flat, for the artifact's metadata."""
        return {
            "task": self.task.value,
            "max_abs_difference": self.parity.max_abs_difference,
            "inputs": self.parity.inputs,
            "bytes": sum(self.files.values()),
            "int8": self.int8,
            "seconds": self.seconds,
        }


def export_model(
    checkpoint: Path,
    evaluation: Path,
    out: Path,
    params: ExportParams,
    *,
    store: Store,
) -> ExportReport:
    """Write the OnnxModel; nothing is written if it differs from torch.

    What is wrong with an int8 form costs only that form: the fact `int8` says it.

    Args:
        checkpoint: Checkpoint; evaluation: the EvaluationReport of that very checkpoint.
        out: where the OnnxModel goes.
        store: holds the evaluated chips or contexts, and those of the training split for int8.
    Raises: BadArtifact, if report and checkpoint do not belong together or a threshold is missing;
        VultusError, above the tolerance; NoTrials; StorageUnavailable.
    """
    began = time.monotonic()
    trained = Checkpoint.open(checkpoint)
    report = EvaluationReport.open(evaluation)
    _check_pair(trained, report)
    from vultus.networks.provenance import provenance_of

    work = _Work(trained, report, params, store)
    parities: list[Parity] = []

    def fill(folder: Path) -> None:
        transform = trained.transform
        if isinstance(transform, RecognitionTransform):
            parities.append(work.embedder(transform, folder))
        else:
            parity, transform = work.panel(transform, folder)
            parities.append(parity)
        (folder / "transform.json").write_text(transform.model_dump_json(indent=2))
        (folder / "parity.json").write_text(parities[0].model_dump_json(indent=2))

    facts = {
        "checkpoint_digest": trained.digest,
        "evaluation_digest": report.digest,
        "crops_digest": trained.manifest.facts.get("crops_digest"),
        "run_id": trained.manifest.facts.get("run_id"),
        "provenance": provenance_of(trained).model_dump(),
        "int8": work.int8_said,
    }
    # The facts are written behind the files: what `fill` said of int8 is among them.
    model = OnnxModel.create(out, fill, made_by=MADE_BY, facts=facts)
    files = {file.relative_to(out).as_posix(): file.stat().st_size for file in out.rglob("*.onnx")}
    seconds = round(time.monotonic() - began, 2)
    logger.info("exported", extra={"task": model.task.value, "seconds": seconds})
    return ExportReport(
        task=model.task,
        parity=parities[0],
        files=files,
        int8="; ".join(work.int8_said.values()),
        seconds=seconds,
    )


def _check_pair(trained: Checkpoint, report: EvaluationReport) -> None:
    of = report.manifest.facts.get("checkpoint_digest")
    if of != trained.digest:
        raise BadArtifact(
            f"{report.path} evaluates checkpoint {of}, {trained.path} is {trained.digest}; "
            "evaluate this checkpoint, then export it"
        )


@dataclass(frozen=True)
class _Work:
    """One export; `int8_said`: file -> what became of its int8 form."""

    trained: Checkpoint
    report: EvaluationReport
    params: ExportParams
    store: Store
    int8_said: dict[str, str] = field(default_factory=dict)

    def embedder(self, transform: RecognitionTransform, folder: Path) -> Parity:
        """model.onnx, and its int8 form where one is asked for."""
        from components.export.parity import evaluated_chips

        trials, count = self.report.table("trials.parquet"), self.params.inputs
        inputs = evaluated_chips(trials, count, self.store, transform)
        parity = self._written(inputs, folder / MODEL)
        return parity.model_copy(update=self._int8(folder, MODEL, inputs, transform))

    def panel(self, transform: LivenessTransform, folder: Path) -> tuple[Parity, LivenessTransform]:
        """Our own member is exported, fixed ones are copied; all leave with threshold and sha256."""
        from components.export.parity import evaluated_crops
        from vultus.networks.load import OWN_MEMBER

        members: list[PanelMember] = []
        parity: Parity | None = None
        for member in transform.members:
            file = folder / member.file
            file.parent.mkdir(parents=True, exist_ok=True)
            trials = self.report.table("trials.parquet")
            inputs = evaluated_crops(trials, self.params.inputs, self.store, member)
            if member.name == OWN_MEMBER:
                parity = self._written(inputs, file)
            else:
                shutil.copyfile(self.trained.path / member.file, file)
            small = self._int8(folder, member.file, inputs, member)
            if parity is not None and member.name == OWN_MEMBER:
                parity = parity.model_copy(update=small)
            changes = {"sha256": sha256_of(file), "threshold": self._threshold(member)}
            members.append(member.model_copy(update=changes))
        if parity is None:
            raise BadArtifact(f"{self.trained.path}: the panel lacks our own member {OWN_MEMBER}")
        return parity, transform.model_copy(update={"members": tuple(members)})

    def _threshold(self, member: PanelMember) -> float:
        threshold = member.threshold
        if threshold is None:
            found = self.report.manifest.facts.get("member_thresholds", {})
            threshold = found.get(member.name)
        if threshold is None:
            raise BadArtifact(
                f"{self.report.path} sets no threshold for panel member {member.name} "
                "(facts member_thresholds); evaluate again"
            )
        return float(threshold)

    def _written(self, inputs: Tensor, file: Path) -> Parity:
        from components.export.parity import measure
        from vultus.networks.load import network_from, write_checkpoint

        write_checkpoint(self.trained, file)
        return measure(network_from(self.trained), file, inputs, self.params.tolerance)

    def _int8(
        self, folder: Path, name: str, inputs: Tensor, of: RecognitionTransform | PanelMember
    ) -> dict[str, float]:
        """Fields of Parity; empty where none is asked for or none was kept."""
        if not self.params.int8:
            return {}
        from components.export.int8 import add_int8

        file = folder / name
        self.int8_said[name], fields = add_int8(
            file, inputs, self.report, self.store, of, self.params
        )
        return fields
