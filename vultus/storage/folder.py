"""A content store in a folder."""

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vultus.contracts.writing import sync_folder, write_through
from vultus.errors import StorageUnavailable
from vultus.storage.content import ContentStore

_OPEN_FILES = 32


class FolderFiles:
    """Files below one folder, written beside their place and moved there in one rename.

    What `write` has written outlives a loss of power: the bytes are on the disk before their name is,
    and the name before `write` returns. `put_many` so pays twice a pack, not once a piece.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: dict[str, int] = {}
        self._open = _OpenFiles()

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Join the pieces into one file. Raises: StorageUnavailable."""
        file = self._root / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".partial-")
        except OSError as error:
            raise StorageUnavailable(f"cannot write to the store {self._root}: {error}") from error
        try:
            with os.fdopen(handle, "wb", buffering=0) as stream:
                write_through(stream.fileno(), pieces)
            Path(partial).replace(file)
            sync_folder(file.parent)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write to the store {self._root}: {error}; free space, then run again"
            ) from error
        finally:
            Path(partial).unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        """The whole file; None without one. Raises: StorageUnavailable."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"cannot read {self._root / name}: {error}") from error

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Some bytes of a file. Raises: StorageUnavailable."""
        try:
            return self._open.read(self._root / name, start, length)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"cannot read {self._root / name}: {error}") from error

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self._root / name).is_file()

    def names(self, folder: str) -> Sequence[str] | None:
        """The files right below `folder`; None, if it did not change since the last call."""
        path = self._root / folder
        try:
            changed = path.stat().st_mtime_ns
            if self._seen.get(folder) == changed:
                return None
            found = [entry.name for entry in os.scandir(path)]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageUnavailable(f"cannot read {path}: {error}") from error
        self._seen[folder] = changed
        return found

    def place(self, name: str) -> str:
        """The path."""
        return str(self._root / name)

    def __reduce__(self) -> tuple[type["FolderFiles"], tuple[Path]]:
        return FolderFiles, (self._root,)  # neither open files nor what was seen


class FolderStore(ContentStore):
    """Bytes by content below one folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(FolderFiles(root))


class _OpenFiles:
    """Packs stay open while they are read piece by piece; the one unused longest is closed."""

    def __init__(self) -> None:
        self._by_path: OrderedDict[Path, Any] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, start: int, length: int) -> bytes:
        with self._lock:
            stream = self._by_path.pop(path, None) or path.open("rb", buffering=0)
            self._by_path[path] = stream
            if len(self._by_path) > _OPEN_FILES:
                self._by_path.popitem(last=False)[1].close()
            return os.pread(stream.fileno(), length, start)
