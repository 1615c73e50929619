"""The same store in an S3 bucket (boto3), for whatever speaks S3."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vultus.errors import BadArtifact, StorageUnavailable

_MISSING = {"404", "NoSuchKey", "NotFound"}


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


class S3Store:
    """Bytes below one prefix of a bucket."""

    def __init__(self, address: S3Address) -> None:
        self._address = address

    def __reduce__(self) -> tuple[type["S3Store"], tuple[S3Address]]:
        return S3Store, (self._address,)  # the client stays behind: it cannot be pickled

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their hex sha256. Raises: StorageUnavailable."""
        digest = hashlib.sha256(data).hexdigest()
        if not self.has(digest):
            self._call("put_object", Key=self._key(digest), Body=data)
        return digest

    def put_many(self, pieces: Sequence[bytes]) -> list[str]:
        """`put` for each of many. Raises: StorageUnavailable."""
        return [self.put(data) for data in pieces]

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises: StorageUnavailable; BadArtifact, if absent or changed."""
        answer = self._call("get_object", Key=self._key(sha256))
        if answer is None:
            raise BadArtifact(f"{sha256} is not in {self._address}; run its step again")
        data: bytes = answer["Body"].read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadArtifact(f"{sha256} in {self._address} was cut or changed")
        return data

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there. Raises: StorageUnavailable."""
        return self._call("head_object", Key=self._key(sha256)) is not None

    def read(self, key: str) -> bytes:
        """One object below the prefix by its own key. Raises: StorageUnavailable."""
        answer = self._call("get_object", Key=self._address.prefix + key)
        if answer is None:
            raise StorageUnavailable(f"{self._address}{key} vanished while it was read")
        data: bytes = answer["Body"].read()
        return data

    def keys(self) -> Iterator[str]:
        """Every key below the prefix, without the prefix, sorted. Raises: StorageUnavailable."""
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self._address.prefix, **token) or {}
            for entry in page.get("Contents", []):
                yield entry["Key"][len(self._address.prefix) :]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _key(self, sha256: str) -> str:
        return f"{self._address.prefix}{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _call(self, operation: str, **arguments: Any) -> Any:
        """One S3 call; None where the object does not exist."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(Bucket=self._address.bucket, **arguments)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING and "Key" in arguments:
                return None
            raise StorageUnavailable(f"{self._address} refuses {operation}: {error}") from error
        except BotoCoreError as error:
            raise StorageUnavailable(
                f"{self._address} does not answer {operation}: {error}; "
                "check VULTUS_STORAGE__ENDPOINT_URL and the network"
            ) from error

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        address = self._address
        return boto3.client(
            "s3",
            endpoint_url=address.endpoint_url,
            region_name=address.region,
            aws_access_key_id=address.access_key,
            aws_secret_access_key=address.secret_key,
            config=Config(
                connect_timeout=min(5.0, address.timeout_s),
                read_timeout=address.timeout_s,
                retries={"max_attempts": address.attempts, "mode": "standard"},
            ),
        )
