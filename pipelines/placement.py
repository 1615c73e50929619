"""Where a task runs: its image, its processor and memory, how often it is tried again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.source import source_tag

USER = 10001
"""Of the images; a cluster that is asked for it refuses to run them as root."""
_SETTINGS = (
    "VULTUS_CLUSTER",
    "VULTUS_TRACKING__URI",
    "VULTUS_STORAGE__URI",
    "VULTUS_STORAGE__ENDPOINT_URL",
    "VULTUS_ROLLOUT__SERVICE",
)
_STORAGE = {
    "access-key": "VULTUS_STORAGE__ACCESS_KEY",
    "secret-key": "VULTUS_STORAGE__SECRET_KEY",
}
_SIGNING = {"signing": "VULTUS_KEYS__SIGNING"}
_KEYS = {
    "ingest": {"pseudonym": "VULTUS_KEYS__PSEUDONYM"},
    "register": _SIGNING,
    "promote": _SIGNING,
}
"""Which keys of the Secret `vultus-pipelines` a step is handed, and as what (manifests/README.md)."""

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    """What one task asks of the cluster; a laptop ignores all but the image's name."""

    cpu: str
    memory: str
    retries: int = 0
    cached: bool = True


PLACES = {
    "ingest": Place("2", "3Gi", retries=1),
    "crop": Place("2", "3Gi"),
    "validate": Place("1", "3Gi"),
    "train": Place("2", "6Gi"),
    "evaluate": Place("2", "4Gi"),
    "export": Place("1", "4Gi"),
    "register": Place("1", "2Gi", retries=2, cached=False),
    "promote": Place("1", "2Gi", cached=False),
}


def image_of(verb: str) -> str:
    """The image of a step, named by a hash of the sources: a cache must see a change of any step."""
    return f"vultus/{verb}:{source_tag(CHECKOUT)}"


def placed(task: Any, verb: str) -> Any:
    """Give a task its place. Register and promote look at the registry, so they are never cached."""
    place = PLACES[verb]
    task.set_display_name(verb)
    task.set_container_image(image_of(verb))
    task.set_cpu_request(place.cpu).set_memory_request(place.memory).set_memory_limit(place.memory)
    task.set_caching_options(place.cached)
    _surround(task, verb)
    if place.retries:
        task.set_retry(place.retries, backoff_duration="5s")
    return task


def _surround(task: Any, verb: str) -> None:
    """In a cluster: settings from a ConfigMap, secrets from Secrets, no root. Ignored by laptops."""
    from kfp import kubernetes

    kubernetes.use_config_map_as_env(
        task, "vultus-settings", {name: name for name in _SETTINGS}, optional=True
    )
    kubernetes.use_secret_as_env(task, "vultus-storage", _STORAGE, optional=True)
    if verb in _KEYS:
        kubernetes.use_secret_as_env(task, "vultus-pipelines", _KEYS[verb])
    kubernetes.set_security_context(task, run_as_user=USER, run_as_non_root=True)
