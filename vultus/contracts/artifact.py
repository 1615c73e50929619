"""What a step hands to the next: a folder with a manifest, whole or not there at all.

A folder is written beside its place and moved there in one rename, so that no reader ever sees half
of one; its files are on the disk before the manifest names them, and all of it before `create` returns,
so that no record outlives what it speaks of. `open` checks the kind and the sha256 of every file, so
that a file cut or changed later is noticed too.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vultus.contracts.writing import sync_folder, sync_tree, write_through
from vultus.errors import BadArtifact, StorageUnavailable

MANIFEST = "manifest.json"
_CHUNK_BYTES = 1 << 20


class Manifest(BaseModel):
    """First file anybody reads of an artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_name: str = Field(alias="schema")
    version: int
    made_by: str = Field(description="component and source hash that wrote the folder")
    sha256: dict[str, str] = Field(description="file, relative with slashes -> hex digest")
    facts: dict[str, Any] = Field(default_factory=dict, description="counts, params, parents")

    @property
    def digest(self) -> str:
        """One hex sha256 for the whole content; names a data version."""
        lines = "".join(f"{name} {self.sha256[name]}\n" for name in sorted(self.sha256))
        return hashlib.sha256(lines.encode()).hexdigest()


class Artifact:
    """An opened, checked folder. Subclasses name their files and give them types."""

    SCHEMA: ClassVar[str]
    VERSION: ClassVar[int] = 1

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a folder that `create` finished.

        Raises: BadArtifact, if it is missing, of another kind, incomplete, or changed since.
        """
        try:
            manifest = Manifest.model_validate_json((path / MANIFEST).read_bytes())
        except FileNotFoundError as error:
            raise BadArtifact(
                f"{path} holds no finished {cls.SCHEMA}: {MANIFEST} is missing; "
                "run the step that makes it again"
            ) from error
        except ValidationError as error:
            raise BadArtifact(f"{path / MANIFEST} cannot be read: {error}") from error
        if (manifest.schema_name, manifest.version) != (cls.SCHEMA, cls.VERSION):
            raise BadArtifact(
                f"{path} is {manifest.schema_name} v{manifest.version}, "
                f"{cls.SCHEMA} v{cls.VERSION} is needed here; check which folder was handed over"
            )
        for name, expected in manifest.sha256.items():
            _check_file(path, name, expected)
        return cls(path, manifest)

    @classmethod
    def create(
        cls,
        path: Path,
        fill: Callable[[Path], None],
        *,
        made_by: str,
        facts: Mapping[str, Any] | None = None,
    ) -> Self:
        """Let `fill` write the files into a hidden sibling folder, then move it to `path`.

        Args:
            path: final place; an unfinished or empty folder there is replaced.
            fill: writes every file of the artifact below the folder it is given.
            made_by: component and source hash.
            facts: JSON-able extras of the manifest.
        Raises: StorageUnavailable, if the disk refuses; nothing is left behind then.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:
            raise StorageUnavailable(f"cannot write beside {path}: {error}") from error
        try:
            fill(partial)
            digests = {
                file.relative_to(partial).as_posix(): sha256_of(file)
                for file in sorted(partial.rglob("*"))
                if file.is_file()
            }
            manifest = Manifest(
                schema=cls.SCHEMA,
                version=cls.VERSION,
                made_by=made_by,
                sha256=digests,
                facts=dict(facts or {}),
            )
            sync_tree(partial)
            _write_manifest(partial, manifest)
            partial.chmod(0o755)
            if path.exists():
                shutil.rmtree(path)
            os.replace(partial, path)  # noqa: PTH105 -- the atomic form is the point
            sync_folder(path.parent)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write {path}: {error}; free space, then rerun"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return cls(path, manifest)

    def table(self, name: str) -> pa.Table:
        """Read one Parquet file of the folder."""
        return pq.read_table(self.path / name)

    def json(self, name: str) -> Any:
        """Read one JSON file of the folder."""
        return json.loads((self.path / name).read_text())

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the content, see `Manifest.digest`."""
        return self.manifest.digest


def write_table(table: pa.Table, schema: pa.Schema, file: Path) -> None:
    """Write rows under exactly this schema: missing, extra or mistyped columns are an error.

    Raises: BadArtifact, naming the columns.
    """
    missing = [name for name in schema.names if name not in table.column_names]
    extra = [name for name in table.column_names if name not in schema.names]
    if missing or extra:
        raise BadArtifact(f"{file.name}: missing columns {missing}, unknown columns {extra}")
    try:
        typed = table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise BadArtifact(f"{file.name}: {error}") from error
    pq.write_table(typed, file, compression="zstd")


def sha256_of(file: Path) -> str:
    """Hex sha256 of one file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    text = manifest.model_dump_json(by_alias=True, indent=2)
    with (folder / MANIFEST).open("wb", buffering=0) as stream:
        write_through(stream.fileno(), [text.encode()])
    sync_folder(folder)


def _check_file(folder: Path, name: str, expected: str) -> None:
    file = folder / name
    # The step cache looks at the folder's name alone: only a missing folder is made again.
    again = f"delete {folder} and run the same command again"
    if not file.is_file():
        raise BadArtifact(f"{file} is missing though {MANIFEST} lists it; {again}")
    if sha256_of(file) != expected:
        raise BadArtifact(f"{file} was cut or changed after it was written; {again}")
