"""Registered versions and their aliases, in MLflow's registry."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import VersionRef
from vultus.errors import BadParameter
from vultus.registry.client import client_of, tracking_errors

_URI = re.compile(r"models:/(?P<name>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))")
_FOLDER = "model"


class MlflowRegistry:
    """Registry of one MLflow server, or of its SQLite file where no server runs."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def register(
        self, name: str, folder: Path, *, run_id: str, tags: Mapping[str, str]
    ) -> VersionRef:
        """Add a ModelVersion folder; the same content again returns the version it already has.

        Raises: TrackingUnavailable; BadArtifact, if the folder is not whole.
        """
        digest = ModelVersion.open(folder).digest
        for known in self.versions(name):
            if known.tags.get("digest") == digest:
                return known
        with tracking_errors(self._uri):
            self._ensure(name)
            self._client.log_artifacts(run_id, str(folder), f"{_FOLDER}/{digest[:12]}")
            source = self._client.get_run(run_id).info.artifact_uri
            made = self._client.create_model_version(
                name,
                source=f"{source}/{_FOLDER}/{digest[:12]}",
                run_id=run_id,
                tags={**tags, "digest": digest, "run_id": run_id},
            )
        return self._ref(made)

    def versions(self, name: str) -> Iterator[VersionRef]:
        """All versions, newest first. Raises: TrackingUnavailable."""
        with tracking_errors(self._uri):
            found = self._client.search_model_versions(f"name='{name}'", max_results=1000)
            aliases = self._aliases(name)
        for entry in sorted(found, key=lambda one: -int(one.version)):
            yield self._ref(entry, aliases.get(int(entry.version), ()))

    def resolve(self, uri: str) -> VersionRef | None:
        """`models:/name@alias` or `models:/name/7`; None where there is none.

        Raises: BadParameter, for another form; TrackingUnavailable.
        """
        form = _URI.fullmatch(uri)
        if form is None:
            raise BadParameter(f"'{uri}' is no model: write models:/name@alias or models:/name/7")
        for version in self.versions(form["name"]):
            if form["alias"] in version.aliases or str(version.version) == form["version"]:
                return version
        return None

    def fetch(self, version: VersionRef, into: Path) -> Path:
        """A complete local copy below `into`; opened, and so checked, before it is handed out.

        Raises: TrackingUnavailable, BadArtifact.
        """
        target = into / version.name / str(version.version)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as place:
                with tracking_errors(self._uri):
                    folder = f"{_FOLDER}/{version.tags['digest'][:12]}"
                    got = self._client.download_artifacts(version.run_id, folder, place)
                ModelVersion.open(Path(got))
                shutil.move(got, target)
        ModelVersion.open(target)
        return target

    def tag(self, version: VersionRef, tags: Mapping[str, str]) -> None:
        """Add or change tags. Raises: TrackingUnavailable."""
        with tracking_errors(self._uri):
            for name, value in tags.items():
                self._client.set_model_version_tag(
                    version.name, str(version.version), name, value[:5000]
                )

    def set_alias(self, version: VersionRef, alias: str) -> None:
        """Point the alias to this version. Raises: TrackingUnavailable."""
        with tracking_errors(self._uri):
            self._client.set_registered_model_alias(version.name, alias, str(version.version))

    def _ensure(self, name: str) -> None:
        if not self._client.search_registered_models(f"name='{name}'"):
            self._client.create_registered_model(name)

    def _aliases(self, name: str) -> dict[int, tuple[str, ...]]:
        found = self._client.search_registered_models(f"name='{name}'")
        by_version: dict[int, tuple[str, ...]] = {}
        for alias, version in (found[0].aliases if found else {}).items():
            by_version[int(version)] = (*by_version.get(int(version), ()), alias)
        return by_version

    def _ref(self, entry: Any, aliases: tuple[str, ...] = ()) -> VersionRef:
        return VersionRef(
            entry.name, int(entry.version), entry.run_id, dict(entry.tags), tuple(sorted(aliases))
        )

    @cached_property
    def _client(self) -> Any:
        return client_of(self._uri)
