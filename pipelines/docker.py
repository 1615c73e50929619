"""Steps as containers of a Docker daemon: what `vultus run --on docker` asks of it.

A container sees the home folder under its own path, the network of this machine (MLflow listens on
loopback) and nothing else; it runs as whoever typed the command, so the state stays theirs.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.placement import image_of
from vultus.contracts.home import Home
from vultus.errors import VultusError

_PASSED = ("VULTUS_", "KAGGLE_")
_SHARED_MEMORY = "1g"  # torch's loaders hand batches over in /dev/shm


class DockerUnavailable(VultusError):
    """No daemon, or not the images that a run needs."""


def connect() -> Any:
    """A client of the daemon that DOCKER_HOST or the default socket names.

    Raises: DockerUnavailable.
    """
    import docker

    try:
        client = docker.from_env()
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        where = os.environ.get("DOCKER_HOST", "the default socket")
        raise DockerUnavailable(
            f"no Docker daemon answers at {where}: {error}; start Docker, or set DOCKER_HOST"
        ) from error
    return client


def require_images(verbs: Iterable[str]) -> None:
    """Look for the images of the steps before anything is computed.

    Raises: DockerUnavailable, with the command that builds what is missing.
    """
    client = connect()
    try:
        present = {tag for image in client.api.images() for tag in image.get("RepoTags") or ()}
    finally:
        client.close()
    missing = [verb for verb in verbs if image_of(verb) not in present]
    if missing:
        raise DockerUnavailable(
            f"the daemon has no image of these sources for {', '.join(missing)} "
            f"({image_of(missing[0])}); build with `vultus images {' '.join(missing)}`"
        )


def docker_runner(home: Home, environment: Mapping[str, str], source: str | None) -> Any:
    """kfp's runner over the steps' own images, hardened.

    Args:
        environment: settings of the steps; what else this process knows as VULTUS_… goes along.
        source: the run's data source; a folder is mounted read-only.
    """
    from docker.types import Mount
    from kfp import local

    settings = {k: v for k, v in {**os.environ, **environment}.items() if k.startswith(_PASSED)}
    nobody = {"HOME": "/tmp", "USER": "vultus", "LOGNAME": "vultus"}  # the uid has no name inside
    mounts = [Mount(str(place), str(place), type="bind") for place in _places(home)]
    folder = _folder_of(source)
    if folder is not None:
        mounts.append(Mount(str(folder), str(folder), type="bind", read_only=True))
    return local.DockerRunner(
        environment={**settings, **nobody, "VULTUS_HOME": str(home.root)},
        mounts=mounts,
        network_mode="host",
        user=f"{os.getuid()}:{os.getgid()}",
        read_only=True,
        tmpfs={"/tmp": "exec,mode=1777"},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        shm_size=_SHARED_MEMORY,
        init=True,
    )


def _places(home: Home) -> list[Path]:
    """The home, and where links in it lead: a store may lie on another disk."""
    links = [entry.resolve() for entry in home.root.iterdir() if entry.is_symlink()]
    inside = home.root.resolve()
    return [home.root, *(link for link in links if link.is_dir() and inside not in link.parents)]


def _folder_of(source: str | None) -> Path | None:
    """The folder that a source URI means on this machine, or None for renders and remote data."""
    if source is None or not source.startswith(("/", ".", "file:")):
        return None
    path = Path(urlsplit(source).path).absolute()
    return path if path.is_dir() else path.parent


@contextmanager
def honest_exit_codes() -> Iterator[None]:
    """Let kfp start containers through `_run_container` while this lasts.

    kfp 2.17 removes a container as it ends, and takes one that is gone before it was asked for a
    success; and it leaves the container running where the person at the keyboard gives up.
    """
    from kfp.local import docker_task_handler

    before = docker_task_handler.run_docker_container
    docker_task_handler.run_docker_container = _run_container
    try:
        yield
    finally:
        docker_task_handler.run_docker_container = before


def _run_container(
    client: Any, image: str, command: list[str], volumes: dict[str, Any], **arguments: Any
) -> int:
    """Run one container to its end, print what it says, and return its exit code."""
    container = client.containers.run(
        image, command, detach=True, volumes=volumes, labels={"vultus": "step"}, **arguments
    )
    try:
        for line in container.logs(stream=True):
            print(line.decode(errors="replace"), end="")  # noqa: T201  kfp's own channel
        return int(container.wait()["StatusCode"])
    finally:
        container.remove(force=True)
