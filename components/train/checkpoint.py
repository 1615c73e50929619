"""A finished network on its way into a Checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from safetensors.torch import save_file
from torch import nn

from vultus.contracts.artifact import sha256_of, write_table
from vultus.contracts.models import HISTORY_SCHEMA, Checkpoint
from vultus.contracts.transform import Architecture, LivenessTransform, RecognitionTransform
from vultus.contracts.words import Split
from vultus.networks.engine import HistoryRow

MADE_BY = "components.train"


@dataclass(frozen=True)
class Trained:
    """What a task's training hands over."""

    network: nn.Module
    architecture: Architecture
    history: list[HistoryRow]
    examples: int
    transform: Callable[[str], RecognitionTransform | LivenessTransform]
    """sha256 of the weights -> the transform."""
    place_members: Callable[[Path], None] | None = None
    """Copies fixed panel members into the folder."""

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return max((row[0] for row in self.history), default=-1) + 1

    @property
    def validation(self) -> dict[str, float]:
        """Validation metrics after the last epoch."""
        last = self.epochs - 1
        of_last = [row for row in self.history if row[0] == last]
        return {row[3]: row[4] for row in of_last if row[2] == Split.VALIDATION.value}

    def write(self, out: Path, facts: Mapping[str, Any]) -> Checkpoint:
        """Write the artifact. Raises: StorageUnavailable."""

        def fill(folder: Path) -> None:
            weights = folder / "model.safetensors"
            save_file({k: v.contiguous() for k, v in self.network.state_dict().items()}, weights)
            transform = self.transform(sha256_of(weights))
            (folder / "architecture.json").write_text(self.architecture.model_dump_json(indent=2))
            (folder / "transform.json").write_text(transform.model_dump_json(indent=2))
            write_table(_table(self.history), HISTORY_SCHEMA, folder / "history.parquet")
            if self.place_members:
                self.place_members(folder)

        return Checkpoint.create(out, fill, made_by=MADE_BY, facts=facts)


def _table(history: list[HistoryRow]) -> pa.Table:
    rows = [dict(zip(HISTORY_SCHEMA.names, row, strict=True)) for row in history]
    return pa.Table.from_pylist(rows, schema=HISTORY_SCHEMA)
