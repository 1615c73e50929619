"""Which MLflow the settings mean: a server, or the home's SQLite file directly."""

from typing import TYPE_CHECKING

from vultus.contracts.home import Home
from vultus.registry.models import MlflowRegistry
from vultus.registry.tracking import MlflowTracker

if TYPE_CHECKING:
    from vultus.settings import TrackingSettings


def tracker_from(settings: "TrackingSettings", home: Home) -> MlflowTracker:
    """Runs go here."""
    if settings.uri is not None:
        return MlflowTracker(settings.uri)
    return MlflowTracker(sqlite_uri(home), home.mlflow_artifacts)


def registry_from(settings: "TrackingSettings", home: Home) -> MlflowRegistry:
    """Versions live here."""
    return MlflowRegistry(settings.uri or sqlite_uri(home))


def sqlite_uri(home: Home) -> str:
    """MLflow's address of the home's database; its folder is made."""
    home.mlflow_database.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home.mlflow_database}"
