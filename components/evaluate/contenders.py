"""Models that can stand side by side: exported, registered, merely trained, or packaged by others."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vultus.baselines.published import PUBLISHED_MEMBERS, locate_published, published_member
from vultus.contracts.models import Checkpoint, ModelVersion, OnnxModel
from vultus.contracts.transform import DetectorParams, LivenessTransform, RecognitionTransform
from vultus.contracts.words import Task
from vultus.inference.int8 import int8_file
from vultus.networks.load import OWN_MEMBER, TRUNKS, write_checkpoint, write_trunk
from vultus.networks.provenance import Provenance, provenance_of
from vultus.weights import entry, locate

EMBEDDING = "model.onnx"
PUBLIC: Mapping[Task, tuple[str, ...]] = {
    Task.RECOGNITION: tuple(TRUNKS),
    Task.LIVENESS: PUBLISHED_MEMBERS,
}
"""Models of others that a name of weights.toml calls up."""


@dataclass(frozen=True)
class Contender:
    """A folder with ONNX files, the transform they were made for, and where the weights come from.

    digest: of the checkpoint, empty for a public model; int8: float file -> its int8 form;
    int8_said: why there is none, or how near it is.
    """

    name: str
    folder: Path
    transform: RecognitionTransform | LivenessTransform
    provenance: Provenance
    digest: str = ""
    int8: Mapping[str, Path] | None = None
    int8_said: str = ""

    @property
    def task(self) -> Task:
        """Which of the two kinds of model."""
        return Task(self.transform.task)

    @property
    def networks(self) -> dict[str, Path]:
        """Name -> float network: the panel's members, or the embedder under its own name."""
        if isinstance(self.transform, LivenessTransform):
            return {one.name: self.folder / one.file for one in self.transform.members}
        return {self.name: self.folder / EMBEDDING}

    def called(self, name: str) -> "Contender":
        """The same under another name."""
        return replace(self, name=name)


def exported(
    name: str, model: OnnxModel | ModelVersion, provenance: Provenance | None = None
) -> Contender:
    """What export or register wrote.

    Args: provenance: for a model that was exported before exports said it.
    """
    said = model.manifest.facts.get("provenance")
    if said is not None:
        provenance = Provenance.model_validate(said)
    if provenance is None:
        provenance = _of_old(model)
    kept = {
        file: small
        for file in model.manifest.sha256
        for small in [model.path / int8_file(Path(file))]
        if file.endswith(".onnx") and small.is_file()
    }
    facts = model.manifest.facts
    return Contender(
        name,
        model.path,
        model.transform,
        provenance,
        digest=str(facts.get("checkpoint_digest", "")),
        int8=kept or None,
        int8_said="; ".join(facts.get("int8", {}).values()),
    )


def trained(name: str, checkpoint: Checkpoint, place: Path) -> Contender:
    """A Checkpoint that was not exported; its ONNX files are made below `place`.

    A member without threshold gets one on the validation split, as in `evaluate`.
    Raises: BadArtifact, VultusError.
    """
    transform = checkpoint.transform
    folder = place / checkpoint.digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / EMBEDDING
    if isinstance(transform, LivenessTransform):
        for member in transform.members:
            target = folder / member.file
            target.parent.mkdir(parents=True, exist_ok=True)
            if member.name == OWN_MEMBER:
                file = target
            else:
                shutil.copyfile(checkpoint.path / member.file, target)
    write_checkpoint(checkpoint, file)
    made_of = provenance_of(checkpoint)
    return Contender(name, folder, transform, made_of, digest=checkpoint.digest)


def public(name: str, place: Path, weights: Path) -> Contender:
    """A packaged trunk, untouched, or a published PAD network as a panel of its own, in every room.

    Raises: WeightsUnavailable.
    """
    folder = place / name
    folder.mkdir(parents=True, exist_ok=True)
    if name in TRUNKS:
        write_trunk(name, locate(name, weights), folder / EMBEDDING)
        row = entry(name)
        made_of = Provenance(
            architecture=name, licence=row.licence, training_data=row.training_data
        )
        return Contender(name, folder, TRUNKS[name].transform(DetectorParams()), made_of)
    file = locate_published(name, weights)
    member = published_member(name, file, EMBEDDING, room_min=0.0)
    shutil.copyfile(file, folder / EMBEDDING)
    return Contender(
        name,
        folder,
        LivenessTransform(members=(member,)),
        Provenance(architecture=name, licence=member.licence, training_data=member.training_data),
    )


def _of_old(model: OnnxModel | ModelVersion) -> Provenance:
    """Of an export that says nothing of itself and whose checkpoint is gone."""
    gone = "exported before exports said it, and its checkpoint is gone"
    if isinstance(model.transform, LivenessTransform):
        members = model.transform.members
        return Provenance(
            architecture=" + ".join(one.name for one in members),
            licence="; ".join(f"{one.name}: {one.licence}" for one in members),
            training_data="; ".join(f"{one.name}: {one.training_data}" for one in members),
        )
    return Provenance(architecture=gone, licence=gone, training_data=gone)
