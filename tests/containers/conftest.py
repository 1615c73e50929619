"""One daemon and one build for all container tests; a skip names what the machine lacks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import docker


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[None]:
    """DOCKER_HOST names a daemon that answers."""
    with _or_skip(), docker.daemon():
        yield


@pytest.fixture(scope="session")
def light(docker_daemon: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Tags of the five light steps, both servers and their bases, built from these sources."""
    with _or_skip():
        return docker.light_images(_log(tmp_path_factory))


@pytest.fixture(scope="session")
def training(docker_daemon: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Tags of train, evaluate and export: where they were built before, or are asked for."""
    with _or_skip():
        if not (docker.has_image("vultus/training:dev") or os.environ.get("VULTUS_TEST_TRAINING")):
            raise docker.Cannot(
                "the training image was never built; VULTUS_TEST_TRAINING=1 builds it"
            )
        return docker.training_images(_log(tmp_path_factory))


class _or_skip:
    """Turns what a machine cannot do into a skip with that reason."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, docker.Cannot):
            pytest.skip(str(error))


def _log(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("images") / "build.log"
