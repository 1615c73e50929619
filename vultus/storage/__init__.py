"""Bytes by content: in a folder, or in an S3 bucket."""

from vultus.storage.choice import store_from
from vultus.storage.folder import FolderStore
from vultus.storage.s3 import S3Store

__all__ = ["FolderStore", "S3Store", "store_from"]
