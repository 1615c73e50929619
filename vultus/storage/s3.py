"""A content store in an S3 bucket (boto3), for whatever speaks S3."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vultus.errors import StorageUnavailable
from vultus.storage.content import ContentStore

_MISSING = {"404", "NoSuchKey", "NotFound"}
_KEYS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "ExpiredToken"}


@dataclass(frozen=True)
class S3Address:
    """Where a bucket is and who asks; without keys boto3's own chain decides (a cluster's)."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    timeout_s: float = 20.0
    attempts: int = 4

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class BucketFiles:
    """Files below one prefix of a bucket; an object appears whole or not at all by itself."""

    def __init__(self, address: S3Address) -> None:
        self._address = address

    def __reduce__(self) -> tuple[type["BucketFiles"], tuple[S3Address]]:
        return BucketFiles, (self._address,)  # the client stays behind: it cannot be pickled

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Join the pieces into one object. Raises: StorageUnavailable."""
        self._call("put_object", Key=self._address.prefix + name, Body=b"".join(pieces))

    def read(self, name: str) -> bytes | None:
        """The whole object; None without one. Raises: StorageUnavailable."""
        return self._body(Key=self._address.prefix + name)

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Some bytes of an object. Raises: StorageUnavailable."""
        if length == 0:
            return b""
        wanted = f"bytes={start}-{start + length - 1}"
        return self._body(Key=self._address.prefix + name, Range=wanted)

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name. Raises: StorageUnavailable."""
        return self._call("head_object", Key=self._address.prefix + name) is not None

    def names(self, folder: str) -> Sequence[str]:
        """The objects below `folder`, without it. Raises: StorageUnavailable."""
        return [key[len(folder) + 1 :] for key in self.keys(f"{folder}/")]

    def place(self, name: str) -> str:
        """The object's address."""
        return f"{self._address}{name}"

    def keys(self, below: str = "") -> Iterator[str]:
        """Every key below the prefix, without the prefix, sorted. Raises: StorageUnavailable."""
        token: dict[str, str] = {}
        prefix = self._address.prefix
        while True:
            page = self._call("list_objects_v2", Prefix=prefix + below, **token) or {}
            for entry in page.get("Contents", []):
                yield entry["Key"][len(prefix) :]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _body(self, **arguments: str) -> bytes | None:
        """The bytes of one answer. Raises: StorageUnavailable, if they break off."""
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        answer = self._call("get_object", **arguments)
        try:
            return None if answer is None else bytes(answer["Body"].read())
        except (BotoCoreError, HTTPError, OSError) as error:
            raise StorageUnavailable(
                f"{self._address} broke off while {arguments['Key']} was read: {error}; run again"
            ) from error

    def _call(self, operation: str, **arguments: Any) -> Any:
        """One S3 call; None where the object does not exist."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(Bucket=self._address.bucket, **arguments)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING and "Key" in arguments:
                return None
            raise StorageUnavailable(
                f"{self._address} refuses {operation}: {error}; {advice_on(error)}"
            ) from error
        except BotoCoreError as error:
            raise StorageUnavailable(
                f"{self._address} does not answer {operation}: {error}; "
                "check VULTUS_STORAGE__ENDPOINT_URL and the network"
            ) from error

    @cached_property
    def _client(self) -> Any:
        address = self._address
        return client_of(
            address,
            address.timeout_s,
            retries={"max_attempts": address.attempts, "mode": "standard"},
        )


def client_of(address: S3Address, silent_s: float, **config: Any) -> Any:
    """A boto3 client of the address's server.

    Args:
        silent_s: seconds that one answer may be awaited.
        config: further fields of botocore's Config.
    """
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=address.endpoint_url,
        region_name=address.region,
        aws_access_key_id=address.access_key,
        aws_secret_access_key=address.secret_key,
        config=Config(connect_timeout=min(5.0, silent_s), read_timeout=silent_s, **config),
    )


def advice_on(error: Any) -> str:
    """What to look at when a server refuses. Args: error: botocore's ClientError."""
    if str(error.response.get("Error", {}).get("Code")) in _KEYS:
        return "check VULTUS_STORAGE__ACCESS_KEY, VULTUS_STORAGE__SECRET_KEY and their rights"
    return "check bucket and prefix"


class S3Store(ContentStore):
    """Bytes by content below one prefix of a bucket."""

    def __init__(self, address: S3Address) -> None:
        super().__init__(BucketFiles(address))
