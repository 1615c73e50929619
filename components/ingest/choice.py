"""Which source a URI means. What only one kind of source needs is imported with it: with
`simulating` that is half of the time in which a step, and the server of its workers, starts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from components.ingest.folders import FolderSource
from components.ingest.lists import ListSource
from components.ingest.source import Source
from vultus.errors import BadSource
from vultus.storage.s3 import S3Address

_LIST_SUFFIXES = {".csv", ".parquet"}


def source_from(uri: str, *, seed: int, weights: Path, s3: S3Address | None = None) -> Source:
    """The source of a URI.

    Args:
        uri: `synthetic:people=60,images=8`, `/folder` or `file:/folder`, `/list.csv`,
            `s3://bucket/prefix`, `kaggle:owner/dataset`, `pad:/folder`, `replay-attack:/folder`,
            `oulu-npu:/folder`, `celeba-spoof:/folder`. All but renders and plain paths take
            `?licence=NAME`; the last four also `every=N` (frames of a video) and `protocol=NAME`.
        seed: of the renders.
        weights: folder of fetched files (the renderer's head model).
        s3: endpoint and credentials; bucket and prefix come from the URI.
    Raises: BadSource, if the scheme is not known or the dataset cannot be had.
    """
    if uri.startswith(("/", ".")) or (":" not in uri and Path(uri).exists()):
        return _files(Path(uri), {})
    scheme, _, rest = uri.partition(":")
    if scheme == "synthetic":
        from components.ingest.rendered import RenderedSource

        return RenderedSource(rest, seed=seed, weights=weights)
    place, _, query = rest.partition("?")
    if scheme == "kaggle":
        from components.ingest.kaggle import download

        options = _options(uri, query, {"licence"})
        return FolderSource(download(place), name=f"kaggle:{place}", **options)
    if scheme == "s3":
        from components.ingest.bucket import BucketSource

        licence = _options(uri, query, {"licence"}).get("licence", "unknown")
        return BucketSource(_address(place, s3 or S3Address(bucket="")), licence)
    if scheme == "file":
        return _files(_path(place), _options(uri, query, {"licence"}))
    from components.ingest.layouts import LAYOUTS

    if scheme in LAYOUTS:
        return _layout(scheme, _path(place), _options(uri, query, {"licence", "every", "protocol"}))
    raise BadSource(
        f"unknown source '{uri}': use synthetic:people=60,images=8, a folder, a .csv list, "
        f"s3://bucket/prefix, kaggle:owner/dataset or {', '.join(f'{name}:/folder' for name in LAYOUTS)}"
    )


def _layout(scheme: str, root: Path, options: dict[str, str]) -> Source:
    from components.ingest.layouts import LAYOUTS, LayoutSource

    every = options.pop("every", "25")
    if not every.isdecimal() or int(every) < 1:
        raise BadSource(f"{scheme}: every={every} is not a whole number of frames")
    return LayoutSource(root, LAYOUTS[scheme], f"{scheme}:{root.name}", every=int(every), **options)


def _files(path: Path, options: Mapping[str, str]) -> Source:
    if path.suffix.lower() in _LIST_SUFFIXES:
        return ListSource(path, **options)
    return FolderSource(path, **options)


def _path(place: str) -> Path:
    return Path(unquote(urlsplit(f"file:{place}").path))


def _options(uri: str, query: str, known: set[str]) -> dict[str, str]:
    """`?name=value&…`. Raises: BadSource, for a name that the scheme does not know."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in known or not value:
            raise BadSource(f"{uri}: '{name}={value}' is not one of {', '.join(sorted(known))}")
    return options


def _address(place: str, s3: S3Address) -> S3Address:
    bucket, _, prefix = place.removeprefix("//").partition("/")
    prefix = prefix.strip("/")
    return replace(s3, bucket=bucket, prefix=f"{prefix}/" if prefix else "")
