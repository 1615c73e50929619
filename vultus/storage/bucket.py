"""Objects that others put into a bucket: listed with their ETag, read in pieces, side by side.

A read survives what passes: a broken body goes on from the byte it reached, a server that is away is
asked again, with growing pauses, until nothing has come for `timeout_s`.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from vultus.errors import SourceChanged, SourceVanished, StorageUnavailable
from vultus.storage.s3 import S3Address, advice_on, client_of

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
PIECE_BYTES = 8 << 20
_PIECES_AT_ONCE = 4
_CHUNK_BYTES = 64 << 10
_CONNECTIONS = 32
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_PASSING = {"500", "502", "503", "504", "429", "SlowDown", "InternalError", "ServiceUnavailable"}
_PASSING |= {"RequestTimeout", "ThrottlingException", "Throttling", "RequestTimeTooSkewed"}
_GONE = {"NoSuchKey", "404", "NotFound"}
_OTHER = {"PreconditionFailed", "412", "InvalidRange", "416"}


@dataclass(frozen=True)
class Found:
    """One listed object: `key` below the prefix, ETag without quotes, size in bytes."""

    key: str
    etag: str
    size: int


class Bucket:
    """What lies below one prefix; every reader makes its own connections."""

    def __init__(self, address: S3Address, piece_bytes: int = PIECE_BYTES) -> None:
        self._address = address
        self._piece_bytes = piece_bytes

    def __reduce__(self) -> tuple[type["Bucket"], tuple[S3Address, int]]:
        return Bucket, (self._address, self._piece_bytes)  # connections stay behind

    def objects(self) -> Iterator[Found]:
        """Every object, sorted by the server, a page of names at a time.

        Raises: StorageUnavailable.
        """
        prefix = self._address.prefix
        token: dict[str, str] = {}
        while True:
            page = self._patiently(partial(self._list, Prefix=prefix, **token))
            for entry in page.get("Contents", []):
                etag = entry.get("ETag", "").strip('"')
                yield Found(entry["Key"][len(prefix) :], etag, entry["Size"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, found: Found) -> bytes:
        """The object as it was listed; a long one by several requests at once.

        Raises: SourceChanged, if it is another one now; SourceVanished; StorageUnavailable.
        """
        step = self._piece_bytes
        spans = [(at, min(at + step, found.size)) for at in range(0, found.size, step)]
        if len(spans) < 2:
            return self._span(found, 0, found.size)
        with ThreadPoolExecutor(min(_PIECES_AT_ONCE, len(spans))) as pool:
            waiting = [pool.submit(self._span, found, *span) for span in spans]
            try:
                return b"".join(piece.result() for piece in waiting)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _span(self, found: Found, start: int, end: int) -> bytes:
        """Bytes start..end; what has arrived is kept when a body breaks off."""
        held = bytearray()

        def go_on() -> bytes:
            place = start + len(held)
            if held and place == end:  # it broke off behind the last byte
                return bytes(held)
            asked = {} if (place, end) == (0, found.size) else {"Range": f"bytes={place}-{end - 1}"}
            answer = self._get(found, asked)
            with closing(answer["Body"]) as body:
                while chunk := body.read(_CHUNK_BYTES):
                    held.extend(chunk)
            if start + len(held) < end:
                raise ConnectionError("the answer ended before its end")
            return bytes(held)

        data = self._patiently(go_on, progress=lambda: len(held), name=found.key)
        if len(data) != end - start:
            raise SourceChanged(f"{self._address}{found.key} is longer than it was listed")
        return data

    def _get(self, found: Found, asked: dict[str, str]) -> Any:
        # An empty range cannot be asked for; an empty object is asked for whole.
        answer = self._client.get_object(
            Bucket=self._address.bucket,
            Key=self._address.prefix + found.key,
            **({"IfMatch": f'"{found.etag}"'} if found.etag else {}),
            **asked,
        )
        if found.etag and answer.get("ETag", "").strip('"') != found.etag:
            raise SourceChanged(f"{self._address}{found.key} was replaced since it was listed")
        if asked and "ContentRange" not in answer:
            raise StorageUnavailable(f"{self._address} answers no ranges; it cannot be read from")
        return answer

    def _list(self, **asked: Any) -> dict[str, Any]:
        page: dict[str, Any] = self._client.list_objects_v2(Bucket=self._address.bucket, **asked)
        return page

    def _patiently(
        self,
        ask: Callable[[], Answer],
        *,
        progress: Callable[[], int] = lambda: 0,
        name: str = "",
    ) -> Answer:
        """Ask until there is an answer; give up when nothing came for `timeout_s`."""
        from botocore.exceptions import BotoCoreError, ClientError

        patience = self._address.timeout_s
        since, reached, pause = time.monotonic(), progress(), _FIRST_PAUSE_S
        while True:
            try:
                return ask()
            except ClientError as error:
                cause: Exception = error
                if not _passes(error):
                    raise self._verdict(error, name) from error
            except (BotoCoreError, OSError) as error:
                cause = error
                if type(error).__name__ in ("NoCredentialsError", "ParamValidationError"):
                    raise StorageUnavailable(f"{self._address}: {error}") from error
            if progress() > reached:
                since, reached, pause = time.monotonic(), progress(), _FIRST_PAUSE_S
            left = since + patience - time.monotonic()
            if left <= 0:
                raise StorageUnavailable(
                    f"{self._address} gave nothing for {patience:g} s: {cause}; check "
                    "VULTUS_STORAGE__ENDPOINT_URL, the server and the network, then run again"
                ) from cause
            logger.warning("waiting for the bucket", extra={"left_s": round(left, 1)})
            time.sleep(min(left, pause * random.uniform(0.5, 1.5)))
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _verdict(self, error: Any, name: str) -> Exception:
        """What an answer that will not change means."""
        code = str(error.response.get("Error", {}).get("Code"))
        if name and code in _GONE:
            return SourceVanished(f"{self._address}{name} is gone since it was listed")
        if name and code in _OTHER:
            return SourceChanged(f"{self._address}{name} was replaced since it was listed")
        return StorageUnavailable(f"{self._address} refuses: {error}; {advice_on(error)}")

    @cached_property
    def _client(self) -> Any:
        # A server that starts again may hold a connection it never answers: others get a chance.
        return client_of(
            self._address,
            self._address.timeout_s / 4,
            retries={"total_max_attempts": 1},
            max_pool_connections=_CONNECTIONS,
            response_checksum_validation="when_required",
        )


def _passes(error: Any) -> bool:
    """Whether the same question may be answered later."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(error.response.get("Error", {}).get("Code")) in _PASSING or status >= 500
