"""Models in the state folder and in the registry, as what can be compared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from components.evaluate.contenders import PUBLIC, Contender, exported, public, trained
from vultus.contracts.artifact import MANIFEST, Manifest
from vultus.contracts.home import Home
from vultus.contracts.models import Checkpoint, ModelVersion, OnnxModel
from vultus.contracts.seams import Registry, VersionRef
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, Task
from vultus.errors import BadArtifact, BadParameter, VultusError
from vultus.networks.provenance import provenance_of

_REGISTERED = {Task.RECOGNITION: RECOGNITION_MODEL, Task.LIVENESS: PAD_MODEL}
_URI = "models:/"
_KINDS = (Checkpoint, OnnxModel, ModelVersion)


@dataclass(frozen=True)
class Models:
    """What there is to compare. place: where ONNX files of models that have none are made."""

    home: Home
    registry: Registry
    place: Path

    def named(self, name: str) -> Contender:
        """One model.

        Args: name: models:/name/3 or models:/name@alias; a folder (Checkpoint, OnnxModel,
            ModelVersion, or a run's); a public model; or an architecture, whose newest training here
            is meant.
        Raises: BadParameter, BadArtifact, WeightsUnavailable, TrackingUnavailable.
        """
        weights = self.home.weights
        if name.startswith(_URI):
            version = self.registry.resolve(name)
            if version is None:
                raise BadParameter(f"{name}: no such version; see `vultus models`")
            return self._registered(version)
        if any(name in names for names in PUBLIC.values()):
            return public(name, self.place, weights)
        if Path(name).is_dir():
            return self._in_folder(Path(name))
        for file in self._newest_first():
            if Checkpoint.open(file.parent).architecture.name.removesuffix("-adapter") == name:
                return self._trained(file.parent)
        known = ", ".join(name for names in PUBLIC.values() for name in names)
        raise BadParameter(
            f"'{name}' is no folder, no {_URI}…, none of {known}, and no network of that name was "
            "trained here; see `vultus models`"
        )

    def all_of(self, task: Task) -> tuple[list[Contender], list[str]]:
        """Public models that can be had, every registered version, every network trained here.

        The same training counts once. Second: what could not be had, and why.
        """
        found: list[Contender] = []
        missing: list[str] = []

        def have(name: str, make: Callable[[], Contender]) -> None:
            try:
                found.append(make())
            except VultusError as error:
                missing.append(f"{name}: {error}")

        for name in PUBLIC[task]:
            have(name, partial(public, name, self.place, self.home.weights))
        for version in self.registry.versions(_REGISTERED[task]):
            have(str(version), partial(self._registered, version))
        known = {one.digest for one in found}
        for file in self._newest_first():
            try:
                checkpoint = Checkpoint.open(file.parent)
            except BadArtifact as error:
                missing.append(f"{file.parent}: {error}")
                continue
            if checkpoint.task is task and checkpoint.digest not in known:
                known.add(checkpoint.digest)
                have(str(file.parent), partial(self._trained, file.parent))
        return _told_apart(found), missing

    def _registered(self, version: VersionRef) -> Contender:
        aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
        folder = self.registry.fetch(version, self.home.models)
        return self._exported(f"{version}{aliases}", ModelVersion.open(folder))

    def _in_folder(self, folder: Path) -> Contender:
        inside = (folder, *(folder / part for part in ("export/model", "train/checkpoint")))
        for place in inside:
            kind = _kind(place / MANIFEST)
            if kind == Checkpoint.SCHEMA:
                return self._trained(place)
            if kind is not None:
                artifact = ModelVersion if kind == ModelVersion.SCHEMA else OnnxModel
                return self._exported(folder.name, artifact.open(place))
        raise BadParameter(f"{folder} holds no Checkpoint, OnnxModel or ModelVersion")

    def _trained(self, folder: Path) -> Contender:
        checkpoint = Checkpoint.open(folder)
        name = checkpoint.architecture.name
        return trained(name, checkpoint, self.place)

    def _exported(self, name: str, model: OnnxModel | ModelVersion) -> Contender:
        """Older exports do not say what they are made of; their checkpoint does, if it is here."""
        if "provenance" in model.manifest.facts:
            return exported(name, model)
        digest = model.manifest.facts.get("checkpoint_digest")
        for file in self._newest_first():
            checkpoint = Checkpoint.open(file.parent)
            if checkpoint.digest == digest:
                made_of = provenance_of(checkpoint)
                return exported(name, model, made_of)
        return exported(name, model)

    def _newest_first(self) -> list[Path]:
        """Manifests of all Checkpoints of runs."""
        files = self.home.runs.glob(f"*/*/*/{MANIFEST}")
        ours = [file for file in files if _kind(file) == Checkpoint.SCHEMA]
        return sorted(ours, key=lambda file: file.stat().st_mtime, reverse=True)


def _told_apart(found: Sequence[Contender]) -> list[Contender]:
    """Names that come twice get a number, the newest first."""

    def numbered() -> Iterator[Contender]:
        seen: dict[str, int] = {}
        for one in found:
            seen[one.name] = seen.get(one.name, 0) + 1
            count = seen[one.name]
            yield one if count == 1 else one.called(f"{one.name} #{count}")

    return list(numbered())


def _kind(file: Path) -> str | None:
    """Schema of one of our models; None for anything else."""
    try:
        found = Manifest.model_validate_json(file.read_bytes()).schema_name
    except (OSError, ValidationError):
        return None
    return found if found in {kind.SCHEMA for kind in _KINDS} else None
