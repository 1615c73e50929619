"""What earlier passes found and did: one JSON line each, below the feature log."""

import logging
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vultus.contracts.home import Home
from vultus.contracts.words import Task

logger = logging.getLogger(__name__)

Action = Literal["keep", "alert", "retrain"]


class PastPass(BaseModel):
    """One line of `history/passes.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    window_start: datetime | None
    window_end: datetime | None
    rows: int
    reference: str
    status: str
    keys: tuple[str, ...] = Field(description="what drifted, e.g. score@operation=verify,…")
    action: Action
    alerting: bool = Field(description="an alert is open after this pass")
    tasks: tuple[Task, ...] = Field(default=(), description="trained again")
    answer: str
    folder: str = Field(description="where the page lies")


def read_history(home: Home) -> list[PastPass]:
    """Oldest first; a line that was cut by a crash is passed over and reported."""
    file = history_file(home)
    if not file.exists():
        return []
    passes = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        try:
            passes.append(PastPass.model_validate_json(line))
        except ValidationError:
            logger.warning("history line passed over", extra={"file": str(file), "line": number})
    return passes


def append_history(home: Home, one: PastPass) -> None:
    """Add a line in a single write, on a line of its own even after a cut one."""
    file = history_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = not file.exists() or file.stat().st_size == 0 or file.read_bytes()[-1:] == b"\n"
    line = ("" if whole else "\n") + one.model_dump_json() + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def distinct(history: Sequence[PastPass]) -> list[PastPass]:
    """The last pass over each window: looking twice at the same rows proves nothing twice."""
    kept: list[PastPass] = []
    for one in history:
        if kept and (kept[-1].window_end, kept[-1].rows) == (one.window_end, one.rows):
            kept.pop()
        kept.append(one)
    return kept


def history_file(home: Home) -> Path:
    """The JSON lines."""
    return home.features / "history" / "passes.jsonl"
