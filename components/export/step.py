"""Checkpoint and EvaluationReport -> OnnxModel: networks for any runtime, with their thresholds.

torch is imported inside `export_model`: this package is also imported where pipelines are compiled.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)
MADE_BY = "components.export"
MODEL = "model.onnx"


class ExportReport(BaseModel):
    """What came out, for people and for the KFP task."""

    model_config = ConfigDict(frozen=True)

    task: Task
    parity: Parity
    files: dict[str, int] = Field(description="ONNX file -> bytes")
    seconds: float

    def summary(self) -> dict[str, str | int | float]:
        """Flat, for the artifact's metadata."""
        return {
            "task": self.task.value,
            "max_abs_difference": self.parity.max_abs_difference,
            "inputs": self.parity.inputs,
            "bytes": sum(self.files.values()),
            "seconds": self.seconds,
        }


def export_model(
    checkpoint: Path, evaluation: Path, out: Path, params: ExportParams, *, store: Store
) -> ExportReport:
    """Write the OnnxModel; nothing is written if it differs from torch.

    Args:
        checkpoint: Checkpoint; evaluation: the EvaluationReport of that very checkpoint.
        out: where the OnnxModel goes.
        store: holds the evaluated chips or contexts.
    Raises: BadArtifact, if report and checkpoint do not belong together or a threshold is missing;
        VultusError, above the tolerance; NoTrials; StorageUnavailable.
    """
    began = time.monotonic()
    trained = Checkpoint.open(checkpoint)
    report = EvaluationReport.open(evaluation)
    _check_pair(trained, report)
    parities: list[Parity] = []

    def fill(folder: Path) -> None:
        transform = trained.transform
        if isinstance(transform, RecognitionTransform):
            parities.append(_embedder(trained, transform, report, params, store, folder))
        else:
            parity, transform = _panel(trained, transform, report, params, store, folder)
            parities.append(parity)
        (folder / "transform.json").write_text(transform.model_dump_json(indent=2))
        (folder / "parity.json").write_text(parities[0].model_dump_json(indent=2))

    facts = {
        "checkpoint_digest": trained.digest,
        "evaluation_digest": report.digest,
        "crops_digest": trained.manifest.facts.get("crops_digest"),
        "run_id": trained.manifest.facts.get("run_id"),
    }
    model = OnnxModel.create(out, fill, made_by=MADE_BY, facts=facts)
    files = {file.relative_to(out).as_posix(): file.stat().st_size for file in out.rglob("*.onnx")}
    seconds = round(time.monotonic() - began, 2)
    logger.info("exported", extra={"task": model.task.value, "seconds": seconds})
    return ExportReport(task=model.task, parity=parities[0], files=files, seconds=seconds)


def _check_pair(trained: Checkpoint, report: EvaluationReport) -> None:
    of = report.manifest.facts.get("checkpoint_digest")
    if of != trained.digest:
        raise BadArtifact(
            f"{report.path} evaluates checkpoint {of}, {trained.path} is {trained.digest}; "
            "evaluate this checkpoint, then export it"
        )


def _embedder(
    trained: Checkpoint,
    transform: RecognitionTransform,
    report: EvaluationReport,
    params: ExportParams,
    store: Store,
    folder: Path,
) -> Parity:
    from components.export.parity import chip_inputs
    from vultus.networks.adapter import AdaptedTrunk
    from vultus.networks.load import network_from

    network = network_from(trained)
    exported = network.merged() if isinstance(network, AdaptedTrunk) else network
    inputs = chip_inputs(report.table("trials.parquet"), params.inputs, store, transform)
    return _written(network, exported, inputs, "embedding", folder / MODEL, params)


def _panel(
    trained: Checkpoint,
    transform: LivenessTransform,
    report: EvaluationReport,
    params: ExportParams,
    store: Store,
    folder: Path,
) -> tuple[Parity, LivenessTransform]:
    """Our own member is exported, fixed ones are copied; all leave with threshold and sha256."""
    from components.export.parity import crop_inputs
    from vultus.networks.load import OWN_MEMBER, network_from

    thresholds = report.manifest.facts.get("member_thresholds", {})
    members: list[PanelMember] = []
    parity: Parity | None = None
    for member in transform.members:
        file = folder / member.file
        file.parent.mkdir(parents=True, exist_ok=True)
        if member.name == OWN_MEMBER:
            network = network_from(trained)
            inputs = crop_inputs(report.table("trials.parquet"), params.inputs, store, member)
            parity = _written(network, network, inputs, "logit", file, params)
        else:
            shutil.copyfile(trained.path / member.file, file)
        threshold = member.threshold
        if threshold is None:
            threshold = thresholds.get(member.name)
        if threshold is None:
            raise BadArtifact(
                f"{report.path} sets no threshold for panel member {member.name} "
                "(facts member_thresholds); evaluate again"
            )
        changes = {"sha256": sha256_of(file), "threshold": float(threshold)}
        members.append(member.model_copy(update=changes))
    if parity is None:
        raise BadArtifact(f"{trained.path}: the panel lacks our own member {OWN_MEMBER}")
    return parity, transform.model_copy(update={"members": tuple(members)})


def _written(
    network: "nn.Module",
    exported: "nn.Module",
    inputs: Tensor,
    output: str,
    file: Path,
    params: ExportParams,
) -> Parity:
    import torch

    from components.export.parity import measure
    from vultus.networks.graph import write_onnx

    # Two rows at least: the exporter would take a batch of one for a constant.
    example = torch.zeros((2, *inputs.shape[1:]))
    write_onnx(exported, example, output, file)
    return measure(network, file, inputs, params.tolerance)
