"""An MLflow server process over the home's SQLite file, on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from vultus.contracts.home import Home
from vultus.errors import TrackingUnavailable
from vultus.registry.choice import sqlite_uri

_READY_S = 90.0


class MlflowServer:
    """Starts at `with` (or `start`), stops at its end. Artifacts are plain paths, not proxied:
    commands read them later with no server running."""

    def __init__(self, home: Home, *, port: int = 0) -> None:
        self._home = home
        self.port = port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Address for clients and browsers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the server prints."""
        return self._home.root / "mlflow" / "server.log"

    def start(self) -> None:
        """Start the process; returns at once, `wait` waits."""
        uri = sqlite_uri(self._home)
        self._home.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
        command += [
            "--no-serve-artifacts",
            "--default-artifact-root",
            str(self._home.mlflow_artifacts),
        ]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        environment = os.environ | {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # Its job runner is eight more processes for features that nobody here uses.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers. Raises: TrackingUnavailable, with the end of its log."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        end = self.log_file.read_text(errors="replace").splitlines()[-5:]
        self.stop()
        raise TrackingUnavailable("the MLflow server did not start: " + " | ".join(end))

    def stop(self) -> None:
        """End the process and its workers; safe to call twice."""
        if self._process is None:
            return
        import signal

        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
        except ProcessLookupError:
            pass  # it ended by itself
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
