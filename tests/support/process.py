"""A server as a user starts it: its own process, a free port, whatever it prints."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vultus.contracts.home import Home

_START_S = 60.0
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """What the server printed."""

    process: subprocess.Popen[str]
    url: str
    key: str
    page: str
    log: Path


def environment(home: Home, **more: str) -> dict[str, str]:
    """Of a process that serves this home and nothing else."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
    return {**kept, "VULTUS_HOME": str(home.root), "PYTHONPATH": str(_CHECKOUT), **more}


@contextmanager
def running_server(home: Home, **more: str) -> Iterator[Running]:
    """Start `python -m serving --port 0`; stopped by SIGTERM at the end, as a cluster does."""
    log = home.root / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", "--port", "0"],
            env=environment(home, **more),
            cwd=_CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        began, printed = time.monotonic(), ""
        while "Page:" not in printed:
            line = process.stdout.readline()
            assert line, f"the server ended: {log.read_text()}"
            assert time.monotonic() - began < _START_S
            printed += line
        key, page = re.search(r"API key: (\S+)", printed), re.search(r"Page: +(\S+)", printed)
        assert key is not None
        assert page is not None
        yield Running(process, page[1].split("/#")[0], key[1], page[1], log)
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
