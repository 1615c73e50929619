"""Which version a laptop's commands and server use: a small file beside the verified copies.

It repeats the registry's alias, so that an answer needs neither MLflow nor a server.
"""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from vultus.contracts.home import Home


class ChampionPointer(BaseModel):
    """`<home>/models/<name>/champion.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    path: Path
    digest: str

    @classmethod
    def read(cls, home: Home, name: str) -> Self | None:
        """The pointer of a registered model; None before the first promotion."""
        file = _file(home, name)
        return cls.model_validate_json(file.read_bytes()) if file.exists() else None

    def write(self, home: Home) -> None:
        """Put the pointer in place in one rename."""
        file = _file(home, self.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        partial.write_text(self.model_dump_json(indent=2))
        partial.replace(file)


def _file(home: Home, name: str) -> Path:
    return home.models / name / "champion.json"
