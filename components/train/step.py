"""FaceCrops -> Checkpoint: an adapter on a packaged embedder, a whole embedder, or our own PAD network.

torch is imported inside `train_model`: this package is also imported where pipelines are compiled,
which needs the Params alone.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from components.train.params import TrainParams
from components.train.tracking import tracked
from components.train.world import ALONE, World, joined
from vultus.contracts.faces import FaceCrops
from vultus.contracts.seams import Store, Tracker
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.contracts.words import Task
from vultus.dataset.leftout import LeftOut
from vultus.networks.waiting import wait_asleep
from vultus.weights import entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.train.checkpoint import Trained

logger = logging.getLogger(__name__)
_CODE = 7
"""Raised when the same params no longer give the same weights: older states are not gone on with."""


class TrainReport(BaseModel):
    """What came out, for people and for the KFP task."""

    model_config = ConfigDict(frozen=True)

    task: Task
    architecture: str
    examples: int = Field(description="training pictures, their views not counted")
    epochs: int = Field(description="epochs trained")
    validation: dict[str, float] = Field(description="metrics after the last epoch")
    members: tuple[str, ...] = Field(default=(), description="PAD panel")
    run_id: str = Field(description="MLflow run, empty without tracking")
    seconds: float

    def summary(self) -> dict[str, str | int | float]:
        """Flat, for the artifact's metadata."""
        facts = self.model_dump(mode="json", exclude={"validation", "members"})
        facts |= {f"validation_{name}": value for name, value in self.validation.items()}
        return {**facts, "members": ", ".join(self.members)}


def train_model(
    crops: Path,
    out: Path,
    params: TrainParams,
    *,
    store: Store,
    tracker: Tracker | None,
    resume: Path,
    weights: Path,
    threads: int = 1,
    device: str = "cpu",
    world: World = ALONE,
    commit: str = "unknown",
) -> TrainReport:
    """Train and write a Checkpoint. Under torchrun every process calls it; process 0 writes.

    Args:
        crops: FaceCrops; out: where the Checkpoint goes.
        store: holds the chips and contexts.
        tracker: without one, or when it refuses, the training runs all the same.
        resume: folder of training states; a killed training goes on from there.
        weights: folder of the pretrained files.
        threads: of torch, 0 = one a core. Another number may change the last bits of the weights.
        device: auto, cpu, cuda, cuda:1; world: this process among those that train together.
        commit: of the code, for the tracker.
    Raises: BadArtifact, StorageUnavailable, WeightsUnavailable; BadParameter, if nothing is there to
        be left out; TrainingFailed, naming the step.
    """
    wait_asleep()
    with joined(world, device):
        return _train(
            crops,
            out,
            params,
            store=store,
            tracker=tracker if world.first else None,
            resume=resume,
            weights=weights,
            threads=threads or max(1, (os.cpu_count() or 1) // world.local_size),
            device=device,
            world=world,
            commit=commit,
        )


def _train(
    crops: Path,
    out: Path,
    params: TrainParams,
    *,
    store: Store,
    tracker: Tracker | None,
    resume: Path,
    weights: Path,
    threads: int,
    device: str,
    world: World,
    commit: str,
) -> TrainReport:
    from vultus.networks.resume import ResumeFolder
    from vultus.networks.schedule import FitParams

    began = time.monotonic()
    faces = FaceCrops.open(crops)
    left_out = LeftOut.parse(params.leave_out)
    left_out.check(faces.crops)
    name = fingerprint(params, faces.digest)
    state = ResumeFolder(resume / (name if world.first else f"{name}-{world.rank}"))
    shared = params.model_dump(include=set(FitParams.__dataclass_fields__))
    course = _course(params)
    with tracked(tracker, f"vultus-{params.task.value}", "train", state.folder) as log:
        log.params(params.model_dump(mode="json"))
        log.environment({"commit": commit, "processes": world.size, "device": device})
        trained = course(
            left_out.without(faces.crops),
            params,
            FitParams(**shared, threads=threads, device=device),
            store=store,
            weights=weights,
            resume=state,
            log=log,
        )
        seconds = round(time.monotonic() - began, 2)
        log.metrics({"train_seconds": seconds}, trained.epochs)
        facts = {
            "crops_digest": faces.digest,
            "params": params.model_dump(mode="json"),
            "run_id": log.run_id,
            "seconds": seconds,
            "begun_with": begun_with(params, weights),
        }
        transform = trained.write(out, facts).transform if world.first else trained.transform("")
    shutil.rmtree(state.folder, ignore_errors=True)
    logger.info("trained", extra={"task": params.task.value, "seconds": seconds})
    return _report(params.task, trained, transform, log.run_id, seconds)


def begun_with(params: TrainParams, weights: Path) -> dict[str, dict[str, str]]:
    """Licence and training data of the row that a network began with: rows can go away."""
    from vultus.networks.pads.zoo import ZOO

    name = params.weights
    if params.task is Task.LIVENESS and params.pad_pretrained and params.pad_network in ZOO:
        name = ZOO[params.pad_network].imagenet
    if name is None:
        return {}
    row = entry(name, weights)
    return {name: {"licence": row.licence, "training_data": row.training_data}}


def _course(params: TrainParams) -> "Callable[..., Trained]":
    """How this task and network are trained."""
    from components.train.embedder import fit_embedder
    from components.train.frozen import fit_frozen
    from components.train.liveness import fit_liveness
    from components.train.recognition import fit_recognition

    if params.task is Task.RECOGNITION:
        return fit_embedder if params.whole else fit_recognition
    return fit_frozen if params.pad_network == "lite0-frozen" else fit_liveness


def _report(
    task: Task,
    trained: "Trained",
    transform: RecognitionTransform | LivenessTransform,
    run_id: str,
    seconds: float,
) -> TrainReport:
    panel = transform.members if isinstance(transform, LivenessTransform) else ()
    return TrainReport(
        task=task,
        architecture=trained.architecture.name,
        examples=trained.examples,
        epochs=trained.epochs,
        validation=trained.validation,
        members=tuple(member.name for member in panel),
        run_id=run_id,
        seconds=seconds,
    )


def fingerprint(params: TrainParams, crops_digest: str) -> str:
    """Names a training by everything that decides its weights."""
    said = {"code": _CODE, "params": params.model_dump(mode="json"), "crops": crops_digest}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
