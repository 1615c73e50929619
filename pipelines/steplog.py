"""Reads what kfp.local prints while it runs, and knows from it how far the run is."""

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Literal

Status = Literal["waiting", "running", "done", "cached", "failed"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BEGINS = re.compile(r"Executing task '([\w-]+)'")
_ENDS = re.compile(r"Task '([\w-]+)' finished with status (\w+)")
_CACHED = re.compile(r"Task '?([\w-]+)'? cache hit")
_PROGRESS = re.compile(r"vultus INFO (.*)")
_WARNING = re.compile(r"vultus WARNING (.*)")
_ERROR = re.compile(
    r"^\s*(?:[\w]+\.)*(\w*Error|Bad\w+|No\w+|\w+Unavailable|\w+Failed|\w+Mismatch): (.*)"
)


@dataclass
class Step:
    """One step as a person sees it."""

    name: str
    status: Status = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    detail: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass
class StepLog(io.TextIOBase):
    """A stream for stdout: keeps every line in a file, and the state of every step."""

    steps: dict[str, Step]
    file: IO[str]
    changed: Callable[[], None]
    error: list[str] = field(default_factory=list)
    _rest: str = ""
    _current: str = ""

    def write(self, text: str) -> int:
        """Take what is printed; acts on whole lines."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self.file.write(line + "\n")
            self._line(_COLOUR.sub("", line))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""
        self.file.flush()

    def _line(self, line: str) -> None:
        if found := _CACHED.search(line):
            self._mark(found[1], "cached")
        elif found := _BEGINS.search(line):
            self._current = found[1]
            self._mark(found[1], "running")
            self.error.clear()
        elif found := _ENDS.search(line):
            self._mark(found[1], "done" if found[2] == "SUCCESS" else "failed")
        elif found := _ERROR.match(line):
            self.error[:] = [found[2]]
        elif self.error and line.startswith("    ") and line.strip():
            self.error.append(line.strip())
        elif self._current and (found := _WARNING.search(line)):
            self.steps[self._current].warnings.append(found[1].strip())
            self.changed()
        elif self._current and (found := _PROGRESS.search(line)):
            self.steps[self._current].detail = found[1].strip()
            self.changed()

    def _mark(self, name: str, status: Status) -> None:
        step = self.steps.setdefault(name, Step(name))
        now = time.monotonic()
        if status == "running":
            step.started = now
        elif step.started:
            step.seconds = now - step.started
            step.detail = ""
        step.status = status
        self.changed()
