"""A new recogniser asks nobody to enrol again.

Whoever is known to an earlier version alone is looked for with that version, too; a match under it,
PAD passed, writes a reference under the current one. An earlier version retires by itself: where
nobody is left behind, it is neither opened nor asked.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vultus.contracts.answers import Candidate
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.gallery import Gallery
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.thresholds import Thresholds

Elder = tuple[FaceAnalyser, Thresholds]
ElderOf = Callable[[str], Elder | None]
"""Version name, such as "vultus-recognition/2" -> it, opened; None where its files are gone."""


def no_elder(_: str) -> Elder | None:
    """Where no earlier version is to be asked."""
    return None


@dataclass(frozen=True)
class Remembered:
    """What one earlier version says of a picture; near: who scores at or above its threshold."""

    model: str
    threshold: float
    near: tuple[Candidate, ...]


def remembered(
    gallery: Gallery, current: str, image: RgbImage, elder_of: ElderOf, *, fmr: float, limit: int
) -> Iterator[Remembered]:
    """Ask every earlier version that still knows somebody the current one does not.

    Args: current: name of the version in use; image: RGB uint8 [H, W, 3].
    Raises: BadParameter, StorageUnavailable.
    """
    for model, subjects in gallery.left_behind(current).items():
        elder = elder_of(model)
        if elder is None:
            continue
        analyser, thresholds = elder
        seen = analyser.analyse(image, pad=False)
        if seen.embedding is None:
            continue
        threshold = thresholds.at(fmr)
        near = gallery.search(seen.embedding, model=model, threshold=threshold, limit=limit)
        yield Remembered(model, threshold, tuple(c for c in near if c.subject in subjects))


def inherit(gallery: Gallery, current: str, subject: str, embedding: Embeddings) -> None:
    """Write the reference that an earlier version's match stands for; twice changes nothing.

    Raises: BadParameter, StorageUnavailable.
    """
    gallery.add(
        subject,
        embedding,
        model=current,
        image_sha256=hashlib.sha256(embedding.tobytes()).hexdigest(),
    )
