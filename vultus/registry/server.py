"""An MLflow server process over the home's SQLite file, on loopback."""

import sys

from vultus.contracts.home import Home
from vultus.errors import TrackingUnavailable
from vultus.registry.choice import sqlite_uri
from vultus.registry.process import LoopbackProcess, free_port


class MlflowServer(LoopbackProcess):
    """MLflow's own server. Artifacts are plain paths, not proxied: commands read them later with
    no server running."""

    def __init__(self, home: Home, *, port: int = 0) -> None:
        port = port or free_port()
        self._home = home
        artifacts = str(home.mlflow_artifacts)
        command = [sys.executable, "-m", "mlflow", "server"]
        command += ["--backend-store-uri", sqlite_uri(home)]
        command += ["--no-serve-artifacts", "--default-artifact-root", artifacts]
        command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        super().__init__(
            "the MLflow server",
            command,
            port=port,
            health="/health",
            log_file=home.root / "mlflow" / "server.log",
            environment={
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "GIT_PYTHON_REFRESH": "quiet",
                # Seven idle worker processes, 250 MB each, for jobs of generative models.
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
            error=TrackingUnavailable,
        )

    def start(self) -> None:
        """Start the process; returns at once, `wait` waits."""
        self._home.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
        super().start()
