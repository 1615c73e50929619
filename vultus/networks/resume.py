"""Training state on disk: a killed run goes on where it was, and ends where it would have."""

import logging
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch

from vultus.errors import StorageUnavailable

logger = logging.getLogger(__name__)
_STATE = "state.pt"


class ResumeFolder:
    """State of one fingerprint (params and inputs) in a folder of its own.

    Only tensors, numbers, strings and lists of them are kept, so that reading runs no code.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, state: dict[str, Any]) -> None:
        """Write the state in one rename. Raises: StorageUnavailable; the old state stays."""
        self.write(_STATE, state)

    def load(self) -> dict[str, Any] | None:
        """The last state, or None where there is none or it cannot be read."""
        file = self.folder / _STATE
        try:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            logger.warning(
                "training state unreadable, starting over",
                extra={"file": str(file), "error": str(error)},
            )
            return None
        return state

    def write(self, name: str, content: Any) -> Path:
        """Write tensors under another name beside the state. Raises: StorageUnavailable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
            try:
                with os.fdopen(handle, "wb") as stream:
                    torch.save(content, stream)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(partial).replace(self.folder / name)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot keep the training state in {self.folder}: {error}; free space, then rerun"
            ) from error
        return self.folder / name

    def clear(self) -> None:
        """Forget the state: the training it belongs to is finished."""
        (self.folder / _STATE).unlink(missing_ok=True)
