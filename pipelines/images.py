"""Builds the images of infra/images/docker-bake.json, with any Docker client that has BuildKit.

`docker buildx bake -f infra/images/docker-bake.json` builds the same; this reader of the file needs
no buildx, tags every image with the hash of its sources, and can feed pip from a folder of wheels.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines.placement import CHECKOUT
from pipelines.source import git_commit, source_tag
from vultus.errors import BadParameter, VultusError

BAKE = "infra/images/docker-bake.json"


class BuildFailed(VultusError):
    """An image could not be built."""


@dataclass(frozen=True)
class Target:
    """One image: its Dockerfile, arguments, tags, and the target it stands on."""

    name: str
    dockerfile: str
    args: Mapping[str, str]
    tags: tuple[str, ...]
    base: str | None


@dataclass(frozen=True)
class Supply:
    """Where a build gets its base image and its packages from.

    Args:
        base: a Python 3.11 image. wheels: folder of wheels, used instead of an index.
        pip: a pip.conf, seen by the build alone; it names `ca` as /run/build-ca.crt.
    """

    base: str = "python:3.11-slim-bookworm"
    wheels: Path | None = None
    pip: Path | None = None
    ca: Path | None = None


def read_bake(root: Path = CHECKOUT, **variables: str) -> tuple[dict[str, Target], dict[str, Any]]:
    """Every target of the bake file with its matrices multiplied out, and its groups."""
    document = json.loads((root / BAKE).read_text())
    scope = {name: row["default"] for name, row in document["variable"].items()} | variables
    targets = {}
    for shape in document["target"].values():
        ((key, rows),) = shape["matrix"].items()
        for row in rows:
            known = scope | {f"{key}.{name}": value for name, value in row.items()}
            filled = _fill({k: v for k, v in shape.items() if k != "matrix"}, known)
            base = filled.get("contexts", {}).get("base", "").removeprefix("target:") or None
            name = filled["name"]
            targets[name] = Target(
                name, filled["dockerfile"], filled["args"], tuple(filled["tags"]), base
            )
    return targets, {name: row["targets"] for name, row in document["group"].items()}


def build(
    names: Iterable[str],
    supply: Supply,
    *,
    log: IO[str] | None = None,
    said: Callable[[str], None] = lambda line: None,
    root: Path = CHECKOUT,
) -> list[str]:
    """Build images and the bases they stand on; what did not change comes from Docker's cache.

    Args:
        names: targets or groups of the bake file.
        log: takes what docker prints; None = the terminal.
        said: called with one line before each image.
    Returns: the tags `vultus/<name>:src-…`, in the order in which they were built.
    Raises: BadParameter, for a name that is not there; BuildFailed.
    """
    client = _client()
    with _packages(client, supply) as (wheels, secrets):
        targets, groups = read_bake(
            root,
            TAG=source_tag(root),
            BASE=supply.base,
            WHEELS=wheels,
            REVISION=git_commit(root),
        )
        made = []
        for target in _in_order(names, targets, groups):
            said(f"{target.name}: {target.dockerfile}")
            _run(_command(client, target, targets, secrets), root, log)
            made.append(target.tags[0])
    return made


def _command(
    client: str, target: Target, targets: Mapping[str, Target], secrets: list[str]
) -> list[str]:
    arguments = dict(target.args)
    if target.base is not None:
        arguments["BASE"] = targets[target.base].tags[0]
    command = [client, "build", "--network=host", "--progress=plain", f"--file={target.dockerfile}"]
    command += [
        part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")
    ]
    command += [part for tag in target.tags for part in ("--tag", tag)]
    command += ["--tag", target.tags[0].rpartition(":")[0] + ":dev"]
    return [*command, *(secrets if target.base is None else []), "."]


def _in_order(
    names: Iterable[str], targets: Mapping[str, Target], groups: Mapping[str, Any]
) -> list[Target]:
    """The targets that the names mean, each after its base, none twice."""
    order: dict[str, Target] = {}

    def add(name: str) -> None:
        if name in groups:
            for member in groups[name]:
                add(member)
        elif name in targets:
            target = targets[name]
            if target.base is not None:
                add(target.base)
            order.setdefault(name, target)
        else:
            known = ", ".join([*groups, *targets])
            raise BadParameter(f"{BAKE} has no image '{name}'; it has {known}")

    for name in names:
        add(name)
    return list(order.values())


@contextmanager
def _packages(client: str, supply: Supply) -> Iterator[tuple[str, list[str]]]:
    """The image that holds the wheels, and the secrets that tell pip where to look."""
    with tempfile.TemporaryDirectory() as folder:
        conf = supply.pip
        wheels = "scratch"
        if supply.wheels is not None:
            wheels = _wheels_image(client, supply.wheels)
            conf = Path(folder) / "pip.conf"
            conf.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        given = (("pip", conf), ("ca", supply.ca))
        secrets = [f"--secret=id={name},src={file}" for name, file in given if file is not None]
        yield wheels, secrets


def wheels_tag(folder: Path) -> str:
    """The image that a folder of wheels becomes; another folder, another tag."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    facts = "\n".join(f"{file.name} {file.stat().st_size}" for file in files)
    return f"vultus/wheels:{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def _wheels_image(client: str, folder: Path) -> str:
    """Hand a folder of wheels to the daemon once, as an image that builds mount and never keep."""
    tag = wheels_tag(folder)
    if subprocess.run([client, "image", "inspect", tag], capture_output=True).returncode == 0:
        return tag
    with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as tar:
        taken = subprocess.run(
            [client, "import", "-", tag], stdin=tar.stdout, capture_output=True, text=True
        )
    if taken.returncode or tar.returncode:
        raise BuildFailed(f"the daemon did not take the wheels of {folder}: {taken.stderr.strip()}")
    return tag


def _run(command: list[str], root: Path, log: IO[str] | None) -> None:
    environment = os.environ | {"DOCKER_BUILDKIT": "1"}
    start = log.tell() if log is not None else 0
    if log is not None:
        log.flush()
    ended = subprocess.run(
        command, cwd=root, env=environment, stdout=log, stderr=log and subprocess.STDOUT
    )
    if ended.returncode == 0:
        return
    why = "see above"
    if log is not None:
        why = f"see {log.name}:\n  " + "\n  ".join(
            Path(log.name).read_text(errors="replace")[start:].splitlines()[-12:]
        )
    raise BuildFailed(f"`docker build {command[4]}` ended with {ended.returncode}; {why}")


def _client() -> str:
    """A docker client that can build with BuildKit: built in before version 23, buildx since then.

    Raises: BuildFailed, saying what to install.
    """
    seen = []
    for folder in os.get_exec_path():
        file = Path(folder) / "docker"
        if not file.is_file() or not os.access(file, os.X_OK):
            continue
        said = subprocess.run([file, "--version"], capture_output=True, text=True).stdout
        major = re.search(r"version (\d+)", said)
        buildx = subprocess.run([file, "buildx", "version"], capture_output=True)
        if buildx.returncode == 0 or (major and int(major[1]) < 23):
            return str(file)
        seen.append(f"{file} ({said.strip()}) lacks buildx")
    raise BuildFailed(
        "; ".join(seen or ["no docker client is on PATH"])
        + "; install docker-buildx-plugin, or Debian's docker.io"
    )


def _fill(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\{([\w.]+)\}", lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {key: _fill(part, known) for key, part in value.items()}
    if isinstance(value, list):
        return [_fill(part, known) for part in value]
    return value
