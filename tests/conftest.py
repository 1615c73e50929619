"""What holds for every test: nobody outside is told that it runs; MLflow is started once."""

import os
from collections.abc import Iterator

import pytest

from support.journey import PromotedHome, first_run
from support.tracking import Tracking
from vultus.contracts.home import Home
from vultus.registry import MlflowServer

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """A server process on SQLite, as `vultus run` starts it."""
    home = Home(tmp_path_factory.mktemp("mlflow-server"))
    with MlflowServer(home) as server:
        yield Tracking(home, server.uri)


@pytest.fixture(scope="session")
def mlflow_file(tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    """The SQLite file alone, as commands read it with no server running."""
    return Tracking(Home(tmp_path_factory.mktemp("mlflow-file")))


@pytest.fixture(params=["server", "file"])
def tracking(request: pytest.FixtureRequest) -> Tracking:
    """Both kinds, one after the other: they must not differ."""
    found: Tracking = request.getfixturevalue(f"mlflow_{request.param}")
    return found


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> PromotedHome:
    """A home after one small `vultus run`. Tests that write use names of their own."""
    return first_run(tmp_path_factory.mktemp("journey"))
