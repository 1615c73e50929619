"""A server process on loopback: started, waited for, ended with everything it started itself."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from vultus.errors import VultusError

_LAST_LINES = 5
_STOP_S = 15.0


class LoopbackProcess:
    """Starts at `with` (or `start`), stops at its end; what it prints goes to a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        health: str,
        log_file: Path,
        environment: Mapping[str, str],
        error: type[VultusError],
        ready_s: float = 90.0,
    ) -> None:
        """
        Args:
            name: for messages; command: argv.
            port: on 127.0.0.1; health: path that answers 200 once it is ready.
            environment: added to this process's own.
            error: raised where it does not start within `ready_s` seconds.
        """
        self.name, self.port, self.log_file = name, port, log_file
        self._command, self._health, self._error = list(command), health, error
        self._environment, self._ready_s = dict(environment), ready_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Address for clients and browsers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process; returns at once, `wait` waits."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.log_file.touch(mode=0o600)  # a server may greet with its key
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=os.environ | self._environment, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers. Raises: the error given, with the end of its log."""
        deadline = time.monotonic() + self._ready_s
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.uri}{self._health}", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        end = self.log_file.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        self.stop()
        raise self._error(f"{self.name} did not start: " + " | ".join(end))

    def stop(self) -> None:
        """End the process and its workers; safe to call twice."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(_STOP_S)
        except ProcessLookupError:
            pass  # it ended by itself
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_S)
        self._process = None

    def join(self) -> None:
        """Wait until the process ends by itself."""
        if self._process is not None:
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
