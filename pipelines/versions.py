"""Data versions in the state folder, found by folder or by the beginning of their digest."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from vultus.contracts.artifact import MANIFEST, Manifest
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.home import Home
from vultus.errors import BadParameter

_KINDS: dict[str, type[FaceCrops] | type[RawFaces]] = {
    kind.SCHEMA: kind for kind in (FaceCrops, RawFaces)
}
_FEWEST_DIGITS = 4


@dataclass(frozen=True)
class Listed:
    """A version's folder and what its manifest says; its files are not read."""

    path: Path
    kind: str
    digest: str
    made: datetime


def listed(home: Home) -> list[Listed]:
    """Every RawFaces and FaceCrops below runs/ and data/, newest first, each digest once."""
    newest: dict[str, Listed] = {}
    for one in sorted(_scan(home), key=lambda one: one.made):
        newest[one.digest] = one
    return sorted(newest.values(), key=lambda one: one.made, reverse=True)


def open_version(home: Home, name: str | None) -> FaceCrops | RawFaces:
    """Open a version.

    Args: name: a folder (of the artifact, or with `crops` or `raw` in it), or the first digits of a
        digest; None = the newest FaceCrops.
    Raises: BadParameter, if there is none or more than one; BadArtifact.
    """
    if name is not None and Path(name).is_dir():
        return _open(_artifact_in(Path(name)))
    found = listed(home)
    if name is None:
        found = [one for one in found if one.kind == FaceCrops.SCHEMA][:1]
        if not found:
            raise BadParameter(
                "there is no data version yet; `vultus data ingest SOURCE` makes one"
            )
    else:
        found = [one for one in found if one.digest.startswith(name.lower())]
        if len(name) < _FEWEST_DIGITS or len(found) != 1:
            how = "no folder, and no version's digest begins so"
            if len(found) > 1 or len(name) < _FEWEST_DIGITS:
                how = f"not one version alone; give at least {_FEWEST_DIGITS} digits, or more"
            raise BadParameter(f"'{name}' is {how}; `vultus data list` shows what there is")
    return _open(found[0].path)


def raw_of(home: Home, version: FaceCrops | RawFaces) -> RawFaces | None:
    """The RawFaces that crops were cut from, where it is still there."""
    digest = version.manifest.facts.get("raw_digest")
    beside = version.path.parent / "raw"
    manifest = _manifest(beside / MANIFEST)
    if manifest is not None and manifest.digest == digest:
        return RawFaces.open(beside)
    found = next((one for one in listed(home) if one.digest == digest), None)
    return None if found is None else RawFaces.open(found.path)


def _scan(home: Home) -> Iterator[Listed]:
    files = [*home.runs.glob(f"*/*/*/{MANIFEST}"), *home.data.glob(f"*/*/{MANIFEST}")]
    for file in files:
        manifest = _manifest(file)
        if manifest is not None and manifest.schema_name in _KINDS:
            made = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            yield Listed(file.parent, manifest.schema_name, manifest.digest, made)


def _artifact_in(folder: Path) -> Path:
    inside = (folder, folder / "crops", folder / "raw")
    return next((one for one in inside if (one / MANIFEST).is_file()), folder)


def _open(path: Path) -> FaceCrops | RawFaces:
    manifest = _manifest(path / MANIFEST)
    kind = _KINDS.get(manifest.schema_name, FaceCrops) if manifest else FaceCrops
    return kind.open(path)


def _manifest(file: Path) -> Manifest | None:
    """None where the file is absent or unreadable: `open` of the artifact then says so."""
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
