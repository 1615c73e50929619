"""One way to MLflow: a client that gives up quickly and says what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vultus.errors import TrackingUnavailable

_RETRIES = "2"
_TIMEOUT_S = "10"


def client_of(uri: str) -> Any:
    """An MlflowClient for tracking and registry. mlflow is imported here, not before."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", _RETRIES)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", _TIMEOUT_S)
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody outside is told
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow.tracking import MlflowClient

    with tracking_errors(uri):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Turn whatever MLflow and its transports raise into one error that says what to do."""
    import requests
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, requests.RequestException, OSError, *_database_errors()) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise TrackingUnavailable(
            f"MLflow at {uri} refuses: {first}; nothing is lost: start it (`vultus ui`) or mend "
            "VULTUS_TRACKING__URI, then run the same command again"
        ) from error


def _database_errors() -> tuple[type[Exception], ...]:
    """What a SQLite file raises; the images' mlflow-skinny carries no database."""
    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError:
        return ()
    return (SQLAlchemyError,)
