"""What `import vultus` offers: answers from the promoted models, without a server."""

import os
import uuid
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.contracts.answers import LivenessAnswer, VerifyAnswer
from vultus.contracts.arrays import RgbImage
from vultus.contracts.home import Home
from vultus.contracts.words import Task
from vultus.errors import BadImage
from vultus.faces.picture import decode_image
from vultus.inference import answers
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.champion import champion_folder, open_champions
from vultus.inference.thresholds import Thresholds

Picture = str | Path | bytes | RgbImage
"""A path, the bytes of a file, or RGB uint8 [H, W, 3]."""


def verify(
    reference: Picture,
    probe: Picture,
    *,
    fmr: float = 1e-3,
    pad: bool = True,
    home: Path | None = None,
) -> VerifyAnswer:
    """Are these the same person, and is the probe a bona fide presentation?

    Args:
        fmr: the FMR that is asked for; sets the threshold.
        pad: False decides on the score alone.
        home: state folder; default: VULTUS_HOME, else `.vultus`.
    Raises: BadImage; BadArtifact, where nothing was promoted yet; BadSignature.
    """
    analyser, thresholds = _champions(home, Task.RECOGNITION)
    assert thresholds is not None  # open_champions never leaves a needed model out
    return answers.verify(
        analyser,
        thresholds,
        read_picture(reference),
        read_picture(probe),
        fmr=fmr,
        request_id=uuid.uuid4().hex,
        pad=pad,
    )


def liveness(image: Picture, *, home: Path | None = None) -> LivenessAnswer:
    """Is this a bona fide presentation?

    Raises: BadImage; BadArtifact, where no PAD model was promoted yet; BadSignature.
    """
    analyser, _ = _champions(home, Task.LIVENESS)
    return answers.liveness(analyser, read_picture(image), request_id=uuid.uuid4().hex)


def read_picture(source: Picture) -> RgbImage:
    """RGB uint8 [H, W, 3] of a path, of a file's bytes, or of such an array. Raises: BadImage."""
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            raise BadImage(
                f"an array must be RGB uint8 [H, W, 3]; this one is {source.dtype} "
                f"{list(source.shape)}"
            )
        return source
    if isinstance(source, bytes):
        return decode_image(source)
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        raise BadImage(f"{source} cannot be read: {error.strerror}; check the path") from error
    try:
        return decode_image(data)
    except BadImage as error:
        raise BadImage(f"{source}: {error}") from error


def _champions(home: Path | None, need: Task) -> tuple[FaceAnalyser, Thresholds | None]:
    place = Home((home or Path(os.environ.get("VULTUS_HOME", ".vultus"))).absolute())
    folders = tuple(champion_folder(place, task) for task in Task)
    return _opened(place, need, folders)


@lru_cache(maxsize=4)
def _opened(
    home: Home, need: Task, folders: tuple[Path | None, ...]
) -> tuple[FaceAnalyser, Thresholds | None]:
    """Kept open until another version is promoted: `folders` is part of the key."""
    return open_champions(home, need=need)
