"""Where a task runs: its image, its processor and memory, how often it is tried again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.source import source_tag

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
    if place.retries:
        task.set_retry(place.retries, backoff_duration="5s")
    return task
