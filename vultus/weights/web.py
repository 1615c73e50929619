"""A file by URL: tried again where the network fails, gone on with where it was cut.

pooch fetches, waits and tries again; what it lacks is going on in the middle of a file, which at
a hundred megabytes over a bad line decides whether the file ever arrives.
"""

from pathlib import Path
from typing import Any

from vultus.errors import WeightsUnavailable

_ATTEMPTS_MORE = 3
_TIMEOUT_S = 30.0
_BLOCK = 1 << 14  # a block that is cut is lost whole
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_RANGE_REFUSED = 416


def download(url: str, file: Path, partial: Path, *, limit: int = 0) -> None:
    """Fetch into `file`; the caller verifies.

    Args:
        url: http or https; redirects are followed.
        partial: what has arrived so far; it stays where the network fails, and the next call goes
            on behind it.
        limit: bytes at most, 0 = no limit.
    Raises: WeightsUnavailable, saying what the server or the network said.
    """
    import pooch
    import requests

    fetcher = pooch.create(
        path=file.parent,
        base_url="",
        registry={file.name: None},
        urls={file.name: url},
        retry_if_failed=_ATTEMPTS_MORE,
    )
    level = pooch.get_logger().level
    pooch.get_logger().setLevel("WARNING")  # it would tell stderr each step; our caller logs
    try:
        fetcher.fetch(file.name, downloader=_Resuming(partial, limit))
    except (requests.RequestException, OSError, ValueError) as error:
        kept = f"; {partial.stat().st_size:,} bytes are kept" if partial.exists() else ""
        raise WeightsUnavailable(
            f"{url}: {error}{kept}; check the network, then fetch again"
        ) from error
    finally:
        pooch.get_logger().setLevel(level)


class _Resuming:
    """A downloader as pooch calls it: (url, output file, pooch)."""

    def __init__(self, partial: Path, limit: int) -> None:
        self._partial, self._limit = partial, limit

    def __call__(self, url: str, output_file: str, fetcher: Any) -> None:
        """Raises: requests.RequestException, which pooch tries again; WeightsUnavailable else."""
        import requests

        have = self._partial.stat().st_size if self._partial.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # ranges count the bytes of the file itself
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
            if answer.status_code == _RANGE_REFUSED:
                self._partial.unlink(missing_ok=True)
                raise requests.ConnectionError("the server refuses to go on; from the beginning")
            if answer.status_code >= 400 and answer.status_code not in _TRANSIENT:
                raise WeightsUnavailable(
                    f"{url}: the server says {answer.status_code} {answer.reason}; has it moved?"
                )
            answer.raise_for_status()
            begins = f"bytes {have}-"
            goes_on = answer.status_code == 206 and answer.headers.get(
                "Content-Range", ""
            ).startswith(begins)
            self._take(answer, url, have if goes_on else 0)
        self._partial.replace(output_file)

    def _take(self, answer: Any, url: str, have: int) -> None:
        with self._partial.open("r+b" if have else "wb") as out:
            out.seek(have)
            out.truncate()
            for block in answer.iter_content(_BLOCK):
                out.write(block)
                if self._limit and out.tell() > self._limit:
                    break
            size = out.tell()
        if self._limit and size > self._limit:
            self._partial.unlink()
            raise WeightsUnavailable(f"{url}: more than the {self._limit:,} bytes of the table")
