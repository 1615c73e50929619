"""`kaggle:owner/dataset`: downloaded once, in pieces if need be, and only read when it is whole.

kagglehub keeps a broken download and asks for the rest of it where the server answers ranges (Kaggle's
does); a folder counts as there only once all of it was unpacked. It does not try again by itself, and
it never drops an archive that is damaged: both are done here.
"""

import errno
import logging
import time
import zipfile
from pathlib import Path

from vultus.errors import BadSource, StorageUnavailable

logger = logging.getLogger(__name__)

_TRIES = 5
"""In a row without a new byte."""
_FIRST_PAUSE_S = 0.5


def download(handle: str) -> Path:
    """Download (or find in its cache) one Kaggle dataset.

    Raises: BadSource, if it cannot be had; StorageUnavailable, if the disk is full.
    """
    import kagglehub
    from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout

    tries, held = 0, _held(handle)
    while True:
        try:
            return Path(kagglehub.dataset_download(handle))
        except (ChunkedEncodingError, ConnectionError, Timeout) as error:
            cause: Exception = error
        except Exception as error:  # kagglehub raises its own and others' errors, without a root
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StorageUnavailable(
                    f"no room for kaggle:{handle}: {error}; free space, then run again"
                ) from error
            if not _damaged(error):
                raise _cannot(handle, error) from error
            _drop_archives(handle)
            cause = error
        tries = 1 if _held(handle) > held else tries + 1
        held = _held(handle)
        if tries >= _TRIES:
            raise _cannot(handle, cause) from cause
        logger.warning("the download broke off; it goes on", extra={"bytes": held})
        time.sleep(_FIRST_PAUSE_S * 2 ** (tries - 1))


def _cannot(handle: str, error: Exception) -> BadSource:
    why = " ".join(str(error).split())
    return BadSource(
        f"kaggle:{handle} cannot be had: {why}; check the name, the network and "
        "KAGGLE_USERNAME / KAGGLE_KEY"
    )


def _damaged(error: Exception) -> bool:
    """Whether an archive arrived whole, and is none."""
    return isinstance(error, zipfile.BadZipFile) or "Unsupported archive type" in str(error)


def _archives(handle: str) -> list[Path]:
    """What kagglehub keeps of a download that is not unpacked yet."""
    from kagglehub.config import get_cache_folder

    owner, _, name = handle.partition("/")
    folder = Path(get_cache_folder()) / "datasets" / owner / name.split("/")[0]
    return sorted(folder.glob("*.archive"))


def _held(handle: str) -> int:
    return sum(file.stat().st_size for file in _archives(handle))


def _drop_archives(handle: str) -> None:
    for file in _archives(handle):
        file.unlink()
