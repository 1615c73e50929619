"""Which model versions are in use: by the home's pointers on a laptop, by the registry in a cluster.

The watchdog does not depend on what it watches: a registry that is down is reported, and the copies
of the last pass are used.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from monitoring.window import Skipped
from vultus.contracts.home import Home
from vultus.contracts.seams import Registry
from vultus.contracts.words import CHAMPION, PAD_MODEL, RECOGNITION_MODEL
from vultus.errors import BadArtifact, TrackingUnavailable
from vultus.signing import ChampionPointer

logger = logging.getLogger(__name__)

_MODELS = (RECOGNITION_MODEL, PAD_MODEL)


@dataclass(frozen=True)
class Champions:
    """folders: registered name -> ModelVersion folder; models: name -> "name/version"."""

    folders: dict[str, Path] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


def champions_of(home: Home, registry: Registry | None = None) -> Champions:
    """Champions of the registry where one is given, else of the home's pointers."""
    folders: dict[str, Path] = {}
    models: dict[str, str] = {}
    skipped: list[Skipped] = []
    for name in _MODELS:
        found = None
        if registry is not None:
            try:
                found = _registered(registry, home, name)
            except (TrackingUnavailable, BadArtifact) as error:
                logger.error("registry not read", extra={"model": name, "why": str(error)})
                skipped.append(Skipped(home.models / name, str(error)[:200]))
                found = _last_fetched(home, name)
        else:
            try:
                found = _pointed(home, name)
            except (OSError, ValidationError) as error:
                skipped.append(Skipped(home.models / name / "champion.json", str(error)[:200]))
        if found is not None:
            folders[name], models[name] = found[0], f"{name}/{found[1]}"
    return Champions(folders, models, tuple(skipped))


def _registered(registry: Registry, home: Home, name: str) -> tuple[Path, int] | None:
    """Fetched once a version. Raises: TrackingUnavailable, BadArtifact."""
    version = registry.resolve(f"models:/{name}@{CHAMPION}")
    if version is None:
        return None
    return registry.fetch(version, home.models), version.version


def _pointed(home: Home, name: str) -> tuple[Path, int] | None:
    pointer = ChampionPointer.read(home, name)
    return None if pointer is None else (pointer.path, pointer.version)


def _last_fetched(home: Home, name: str) -> tuple[Path, int] | None:
    """What the registry gave last: nobody but this watchdog fetches into a cluster's home."""
    fetched = [one for one in home.models.glob(f"{name}/*") if one.name.isdigit()]
    newest = max(fetched, key=lambda folder: int(folder.name), default=None)
    return None if newest is None else (newest, int(newest.name))
