"""Which version a laptop's commands and server use: a small file beside the verified copies.

It repeats the registry's alias, so that an answer needs neither MLflow nor a server; where the alias
was moved by somebody else, the pointer follows it.
"""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.signing.alias import aliased_version, local_copy


class ChampionPointer(BaseModel):
    """`<home>/models/<name>/champion.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    path: Path
    digest: str

    @classmethod
    def read(cls, home: Home, name: str) -> Self | None:
        """The pointer of a registered model; None before the first promotion.

        MLflow's alias is asked first: where it names another version, that one is used, and the
        pointer is written again.
        """
        file = _file(home, name)
        known = cls.model_validate_json(file.read_bytes()) if file.exists() else None
        version = aliased_version(home, name)
        if version is None or (known is not None and known.version == version):
            return known
        folder = local_copy(home, name, version)
        if folder is None:
            return known
        moved = cls(
            name=name, version=version, path=folder, digest=ModelVersion.open(folder).digest
        )
        moved.write(home)
        return moved

    def write(self, home: Home) -> None:
        """Put the pointer in place in one rename."""
        file = _file(home, self.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        partial.write_text(self.model_dump_json(indent=2))
        partial.replace(file)


def _file(home: Home, name: str) -> Path:
    return home.models / name / "champion.json"
