"""`kaggle:owner/dataset`: downloaded once, in pieces if need be, and only read when it is whole."""

from pathlib import Path

from vultus.errors import BadSource


def download(handle: str) -> Path:
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
