"""MLflow: runs, model versions, aliases, lineage. The only room that imports it."""

from vultus.registry.choice import registry_from, tracker_from
from vultus.registry.models import MlflowRegistry
from vultus.registry.server import MlflowServer
from vultus.registry.tracking import MlflowTracker

__all__ = ["MlflowRegistry", "MlflowServer", "MlflowTracker", "registry_from", "tracker_from"]
