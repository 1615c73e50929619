"""A content-addressed store in a folder: `<root>/ab/cd/abcd...`, written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vultus.errors import BadArtifact, StorageUnavailable


class FolderStore:
    """Bytes below one folder. Safe with several writers: the name is the content."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their hex sha256.

        Raises: StorageUnavailable, if the disk refuses; nothing half-written stays then.
        """
        digest = hashlib.sha256(data).hexdigest()
        file = self._file(digest)
        if file.exists():
            return digest
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=".partial-")
        except OSError as error:
            raise StorageUnavailable(f"cannot write to the store {self._root}: {error}") from error
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            partial.replace(file)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write to the store {self._root}: {error}; free space, then run again"
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return digest

    def put_many(self, pieces: Sequence[bytes]) -> list[str]:
        """`put` for each of many. Raises: StorageUnavailable."""
        return [self.put(data) for data in pieces]

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises: BadArtifact, if absent or not what the name says."""
        file = self._file(sha256)
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise BadArtifact(
                f"{sha256} is not in the store {self._root}; run the step that made it again"
            ) from error
        except OSError as error:
            raise StorageUnavailable(f"cannot read {file}: {error}") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadArtifact(f"{file} was cut or changed; delete it and run its step again")
        return data

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there."""
        return self._file(sha256).is_file()

    def _file(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256
