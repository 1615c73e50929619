"""One offered picture -> the rows it becomes. Runs in the worker processes."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from components.ingest.params import IngestParams
from components.ingest.source import Item, Refused, Source
from components.ingest.split import pseudonym_of, split_of
from vultus.attacks.framing import tightened
from vultus.attacks.simulation import Presentation as Simulated
from vultus.attacks.simulation import bona_fide_capture, simulate
from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.contracts.seams import Detector, Store
from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadImage, BadInput
from vultus.faces.cascade import detect_with_border
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.inference import mtcnn_detector

_JPEG_QUALITIES = (78, 97)


@dataclass
class Taken:
    """Rows of FACE_SCHEMA from one item, or why there are none."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass
class Taker:
    """Reads, checks, stores and simulates; picklable, the nets are made once a process."""

    source: Source
    params: IngestParams
    store: Store
    key: bytes

    def __call__(self, item: Item) -> Taken:
        """Take one item in. Bad pictures come back as `refused`; a broken store raises."""
        try:
            data = self.source.read(item)
            image = decode_image(
                data,
                max_bytes=self.params.max_image_bytes,
                max_pixels=self.params.max_image_pixels,
            )
        except BadInput as error:
            reason = "bad_image" if isinstance(error, BadImage) else "unreadable"
            return Taken(refused=[Refused(item.origin, reason, str(error))])
        digest = self.store.put(data)
        taken = Taken(rows=[self._row(item, image, digest, len(data))])
        if item.presentation is Presentation.BONA_FIDE:
            taken.rows.extend(self._simulations(item, image, digest))
        return taken

    def _row(self, item: Item, image: RgbImage, digest: str, size: int) -> dict[str, Any]:
        height, width = image.shape[:2]
        return {
            "image_sha256": digest,
            "subject": pseudonym_of(item.subject, self.key),
            "split": split_of(
                item.subject,
                split_seed=self.params.split_seed,
                validation_share=self.params.validation_share,
                test_share=self.params.test_share,
            ).value,
            "presentation": item.presentation.value,
            "species": item.species.value if item.species else None,
            "simulated": False,
            "simulation": None,
            "source": self.source.name,
            "licence": self.source.licence,
            "width": width,
            "height": height,
            "bytes": size,
            "captured_at": None,
            "attributes": sorted(item.attributes.items()),
        }

    def _simulations(self, item: Item, image: RgbImage, digest: str) -> list[dict[str, Any]]:
        """Rows of the simulated presentations of one bona fide picture.

        Which ones, and how they look, depends on the seed and the picture's own bytes alone.
        """
        rng = np.random.default_rng([self.params.seed, int(digest[:12], 16)])
        shares = {
            None: self.params.recapture_share,
            Species.PRINT: self.params.print_share,
            Species.REPLAY: self.params.replay_share,
            Species.MASK: self.params.mask_share,
        }
        wanted = [species for species, share in shares.items() if rng.random() < share]
        cut_alone = rng.random() < self.params.tight_share
        if not wanted and not cut_alone:
            return []
        found = detect_with_border(self._detector, image)
        if len(found) == 0:
            return []
        rows = []
        for species in wanted:
            seen = _present(image, found.boxes[0], found.landmarks[0], species, rng)
            if rng.random() < self.params.tight_share:
                seen = tightened(seen, rng)
            rows.append(self._simulated_row(item, species, seen, rng))
        if cut_alone:
            alone = tightened(Simulated(image, found.boxes[0], {}), rng)
            rows.append(self._simulated_row(item, None, alone, rng))
        return rows

    def _simulated_row(
        self, item: Item, species: Species | None, made: Simulated, rng: np.random.Generator
    ) -> dict[str, Any]:
        quality = int(rng.integers(*_JPEG_QUALITIES))
        data = encode_jpeg(made.image, quality=quality)
        row = self._row(item, made.image, self.store.put(data), len(data))
        return row | {
            "presentation": (Presentation.ATTACK if species else Presentation.BONA_FIDE).value,
            "species": species.value if species else None,
            "simulated": True,
            "simulation": json.dumps({**made.simulation, "jpeg": quality}, sort_keys=True),
        }

    @cached_property
    def _detector(self) -> Detector:
        return mtcnn_detector(DetectorParams(), threads=1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_detector"}


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
