"""Which store the settings ask for."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vultus.contracts.home import Home
from vultus.contracts.seams import Store
from vultus.errors import BadParameter
from vultus.storage.folder import FolderStore
from vultus.storage.s3 import S3Address, S3Store

if TYPE_CHECKING:
    from vultus.settings import StorageSettings


def store_from(settings: "StorageSettings", home: Home) -> Store:
    """The store of `settings.uri`; the home's own folder without one.

    Raises: BadParameter, for a scheme that is neither `s3:` nor `file:` nor a plain path.
    """
    if settings.uri is None:
        return FolderStore(home.store)
    parts = urlsplit(settings.uri)
    if parts.scheme == "s3":
        return S3Store(s3_address(settings.uri, settings))
    if parts.scheme in ("", "file"):
        return FolderStore(Path(parts.path))
    raise BadParameter(f"VULTUS_STORAGE__URI={settings.uri}: use s3://bucket/prefix or a folder")


def s3_address(uri: str, settings: "StorageSettings") -> S3Address:
    """`s3://bucket/prefix` with the endpoint and credentials of the settings."""
    parts = urlsplit(uri)
    prefix = parts.path.strip("/")
    return S3Address(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint_url=settings.endpoint_url,
        region=settings.region,
        access_key=settings.access_key.get_secret_value() if settings.access_key else None,
        secret_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        timeout_s=settings.timeout_s,
        attempts=settings.attempts,
    )
