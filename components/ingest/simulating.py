"""The simulated presentations of one bona fide picture."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from components.ingest.params import IngestParams
from components.ingest.source import Item
from vultus.attacks.framing import tightened
from vultus.attacks.simulation import Presentation as Simulated
from vultus.attacks.simulation import bona_fide_capture, simulate
from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.contracts.seams import Detector
from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import Presentation, Species
from vultus.faces.cascade import detect_with_border
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.inference import mtcnn_detector

_JPEG_QUALITIES = (78, 97)


@dataclass(frozen=True)
class Shown:
    """One simulated presentation as the file its camera wrote."""

    data: bytes
    width: int
    height: int
    species: Species | None
    simulation: str

    def facts(self) -> dict[str, Any]:
        """The columns that differ from the picture it was made of."""
        presentation = Presentation.ATTACK if self.species else Presentation.BONA_FIDE
        return {
            "width": self.width,
            "height": self.height,
            "presentation": presentation.value,
            "species": self.species.value if self.species else None,
            "simulated": True,
            "simulation": self.simulation,
        }


class Simulator:
    """Which presentations a picture gets, and how they look, depends on the seed and its own bytes."""

    def __init__(self, params: IngestParams) -> None:
        self._params = params
        self._shares = {
            None: params.recapture_share,
            Species.PRINT: params.print_share,
            Species.REPLAY: params.replay_share,
            Species.MASK: params.mask_share,
        }

    def presentations(self, item: Item, data: bytes) -> list[Shown]:
        """The presentations of one picture; none of an attack.

        Raises: BadImage, if the picture cannot be unpacked.
        """
        if item.presentation is not Presentation.BONA_FIDE:
            return []
        params = self._params
        rng = np.random.default_rng([params.seed, _number(data)])
        wanted = [species for species, share in self._shares.items() if rng.random() < share]
        cut_alone = rng.random() < params.tight_share
        if not wanted and not cut_alone:
            return []
        image = decode_image(
            data, max_bytes=params.max_image_bytes, max_pixels=params.max_image_pixels
        )
        found = detect_with_border(self._detector, image)
        if len(found) == 0:
            return []
        shown = []
        for species in wanted:
            seen = _present(image, found.boxes[0], found.landmarks[0], species, rng)
            if rng.random() < params.tight_share:
                seen = tightened(seen, rng)
            shown.append(_shown(species, seen, rng, data))
        if cut_alone:
            cut = tightened(Simulated(image, found.boxes[0], {}), rng)
            shown.append(_shown(None, cut, rng, data))
        return shown

    @cached_property
    def _detector(self) -> Detector:
        return mtcnn_detector(DetectorParams(), threads=1)


def _shown(
    species: Species | None, made: Simulated, rng: np.random.Generator, data: bytes
) -> Shown:
    quality = int(rng.integers(*_JPEG_QUALITIES))
    return Shown(
        data=encode_jpeg(made.image, quality=quality),
        width=made.image.shape[1],
        height=made.image.shape[0],
        species=species,
        simulation=json.dumps(
            {**made.simulation, "jpeg": quality, "of": hashlib.sha256(data).hexdigest()},
            sort_keys=True,
        ),
    )


def _present(
    image: RgbImage,
    box: Box,
    landmarks: Landmarks,
    species: Species | None,
    rng: np.random.Generator,
) -> Simulated:
    if species is None:
        return bona_fide_capture(image, box, rng)
    return simulate(image, box, species, rng, landmarks=landmarks)


def _number(data: bytes) -> int:
    """The first 48 bits of the file's sha256."""
    return int(hashlib.sha256(data).hexdigest()[:12], 16)
