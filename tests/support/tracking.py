"""A real MLflow for tests: a server process, or its SQLite file with no server."""

from pathlib import Path

from vultus.contracts.home import Home
from vultus.registry import MlflowRegistry, MlflowTracker
from vultus.registry.choice import sqlite_uri


class Tracking:
    """One MLflow, and the seams that steps are handed."""

    def __init__(self, home: Home, uri: str | None = None) -> None:
        self.home = home
        self.uri = uri or sqlite_uri(home)
        self.tracker = MlflowTracker(self.uri, None if uri else home.mlflow_artifacts)
        self.registry = MlflowRegistry(self.uri)


def nowhere(folder: Path) -> Tracking:
    """An MLflow that is not there: nothing listens at this port."""
    return Tracking(Home(folder), "http://127.0.0.1:9")
