"""A disk that fills up: a small file system in memory, or, without the right to mount, a limit."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """`place` (made here) with so much room; a write beyond it fails with ENOSPC.

    Skips the test, with the reason, where nothing may be mounted; `small_files` needs no right.
    """
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(place)]
    said = _run(command)
    if said is not None:
        pytest.skip(f"no small disk can be mounted here: {said}")
    try:
        yield place
    finally:
        said = _run(["umount", str(place)]) and _run(["umount", "--lazy", str(place)])
        assert said is None, said


@contextmanager
def small_files(megabytes: int) -> Iterator[None]:
    """No file may grow beyond so much in this process: a write fails with EFBIG, as on a quota.

    The limit holds for whole test processes (log files, too), so keep what runs inside short.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def free_bytes(place: Path) -> int:
    """Room that is left."""
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def _run(command: list[str]) -> str | None:
    """None, or why it did not work."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip() or f"exit {done.returncode}"
