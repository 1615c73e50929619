"""Which source a URI means."""

from pathlib import Path
from urllib.parse import urlsplit

from components.ingest.bucket import BucketSource
from components.ingest.folders import FolderSource, ListSource
from components.ingest.rendered import RenderedSource
from components.ingest.source import Source
from vultus.errors import BadSource
from vultus.storage.s3 import S3Address

_LIST_SUFFIXES = {".csv", ".parquet"}


def source_from(uri: str, *, seed: int, weights: Path, s3: S3Address | None = None) -> Source:
    """The source of a URI.

    Args:
        uri: `synthetic:people=60,images=8`, `/folder` or `file:/folder`, `/list.csv`,
            `s3://bucket/prefix`, `kaggle:owner/dataset`.
        seed: of the renders.
        weights: folder of fetched files (the renderer's head model).
        s3: endpoint and credentials; bucket and prefix come from the URI.
    Raises: BadSource, if the scheme is not known or the dataset cannot be had.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "synthetic":
        return RenderedSource(rest, seed=seed, weights=weights)
    if scheme == "kaggle":
        return FolderSource(_kaggle(rest), name=uri)
    if scheme == "s3":
        return BucketSource(_address(uri, s3 or S3Address(bucket="")))
    if scheme == "file" or uri.startswith(("/", ".")):
        path = Path(urlsplit(uri).path)
        return ListSource(path) if path.suffix.lower() in _LIST_SUFFIXES else FolderSource(path)
    raise BadSource(
        f"unknown source '{uri}': use synthetic:people=60,images=8, a folder, a .csv list, "
        "s3://bucket/prefix or kaggle:owner/dataset"
    )


def _kaggle(handle: str) -> Path:
    """Download (or find in its cache) one Kaggle dataset."""
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(handle))
    except Exception as error:  # kagglehub raises its own and requests' errors, without a root
        why = " ".join(str(error).split())
        raise BadSource(
            f"kaggle:{handle} cannot be had: {why}; check the name, the network and "
            "KAGGLE_USERNAME / KAGGLE_KEY"
        ) from error


def _address(uri: str, s3: S3Address) -> S3Address:
    from dataclasses import replace

    parts = urlsplit(uri)
    prefix = parts.path.strip("/")
    return replace(s3, bucket=parts.netloc, prefix=f"{prefix}/" if prefix else "")
