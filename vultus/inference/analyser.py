"""The one flow from a picture to an answer: detect → quality → PAD → align → embed.

Command, library and server all call `FaceAnalyser`; what it leaves to them is the decision.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from vultus.contracts.answers import FaceAnswer, PadAnswer
from vultus.contracts.arrays import Box, Embeddings, Landmarks, RgbImage
from vultus.contracts.seams import Detections, Detector, Encoder
from vultus.contracts.words import PadDecision, Reason, Verdict
from vultus.errors import DegenerateLandmarks
from vultus.faces.alignment import align
from vultus.faces.boxes import areas
from vultus.faces.cascade import detect_with_border
from vultus.faces.context import context_crop, room
from vultus.faces.quality import LOWEST_QUALITY, quality
from vultus.inference.panel import PadPanel

SEVERAL_FACES_RATIO = 0.5
"""Refused where the second face's area exceeds this share of the first's, as the crop step does."""


@dataclass(frozen=True)
class Analysis:
    """One picture, looked at.

    embedding: float32 [D], unit length; None where it was not asked for or `reason` forbids it.
    latency_ms: stages of `contracts.traffic.STAGES` that ran -> wall milliseconds.
    """

    face: FaceAnswer | None
    pad: PadAnswer
    embedding: Embeddings | None
    reason: Reason | None
    latency_ms: dict[str, float]


class FaceAnalyser:
    """Detector, PAD panel and embedder of one pair of model versions; safe for several threads.

    Attributes: detector, encoder, panel; recognition, pad: names of the versions, such as
    "vultus-pad/3"; pad_status: verdict of the PAD version's own evaluation.
    """

    def __init__(
        self,
        detector: Detector,
        encoder: Encoder | None,
        panel: PadPanel | None,
        *,
        recognition: str | None,
        pad: str | None,
        pad_status: Verdict,
    ) -> None:
        self.detector = detector
        self.encoder = encoder
        self.panel = panel
        self.recognition = recognition
        self.pad = pad
        self.pad_status = pad_status

    def analyse(self, image: RgbImage, *, embed: bool = True, pad: bool = True) -> Analysis:
        """Look at the one face of a picture.

        Args:
            image: RGB uint8 [H, W, 3].
            embed, pad: leave a stage out.
        Returns: `reason` no_face, several_faces or low_quality where there is nothing to embed.
        """
        clock = _Clock()
        with clock.stage("detect"):
            found = self.detect(image)
        if len(found) == 0:
            return self._refused(Reason.NO_FACE, None, clock)
        if several_faces(found):
            return self._refused(Reason.SEVERAL_FACES, _face_of(image, found, 0), clock)
        return self._look(image, found, 0, clock, embed=embed, pad=pad)

    def analyse_face(
        self,
        image: RgbImage,
        found: Detections,
        index: int,
        *,
        embed: bool = True,
        pad: bool = True,
    ) -> Analysis:
        """Look at a face that somebody chose among `found`, however many others there are."""
        return self._look(image, found, index, _Clock(), embed=embed, pad=pad)

    def judge(self, image: RgbImage, box: Box) -> PadAnswer:
        """What the panel says of the face in that box, float32 [4]; whoever found it."""
        if self.panel is None:
            return self._undecided(Reason.PAD_UNAVAILABLE)
        # As in evaluation, where the thresholds come from: the members see the context crop.
        context = context_crop(image, box)
        judged = self.panel.judge(context.image, context.box)
        return PadAnswer(
            decision=judged.decision,
            score=judged.score,
            threshold=judged.threshold,
            member=judged.member,
            evidence=judged.evidence,
            room=room(box, image.shape),
            status=self.pad_status,
            reason=judged.reason,
            hint=judged.hint,
        )

    def detect(self, image: RgbImage) -> Detections:
        """All faces, largest first; a face that fills the whole picture is found too."""
        return detect_with_border(self.detector, image)

    def _look(
        self,
        image: RgbImage,
        found: Detections,
        index: int,
        clock: "_Clock",
        *,
        embed: bool,
        pad: bool,
    ) -> Analysis:
        with clock.stage("detect"):
            face = _face_of(image, found, index)
        if face is None:
            return self._refused(Reason.NO_FACE, None, clock)
        if face.quality["unified"] < LOWEST_QUALITY:
            return self._refused(Reason.LOW_QUALITY, face, clock)
        with clock.stage("pad" if pad and self.panel is not None else ""):
            judged = (
                self.judge(image, found.boxes[index])
                if pad
                else self._undecided(Reason.PAD_UNAVAILABLE)
            )
        embedding: Embeddings | None = None
        if embed and self.encoder is not None:
            with clock.stage("embed"):
                embedding = _embedding(self.encoder, image, found.landmarks[index])
            if embedding is None:
                return self._refused(Reason.LOW_QUALITY, face, clock)
        return Analysis(face, judged, embedding, None, clock.stopped())

    def _undecided(self, reason: Reason) -> PadAnswer:
        return PadAnswer(decision=PadDecision.NOT_DECIDED, status=self.pad_status, reason=reason)

    def _refused(self, reason: Reason, face: FaceAnswer | None, clock: "_Clock") -> Analysis:
        return Analysis(face, self._undecided(reason), None, reason, clock.stopped())


def several_faces(found: Detections) -> bool:
    """Whether a second face is so large that nobody knows which one is meant."""
    sizes = areas(found.boxes)
    return len(sizes) > 1 and bool(sizes[1] > SEVERAL_FACES_RATIO * sizes[0])


@dataclass
class _Clock:
    """Wall time of each stage; a stage without a name is not kept."""

    began: float = field(default_factory=time.perf_counter)
    spent_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if name:
            spent = 1e3 * (time.perf_counter() - start)
            self.spent_ms[name] = self.spent_ms.get(name, 0.0) + spent

    def stopped(self) -> dict[str, float]:
        return {**self.spent_ms, "total": 1e3 * (time.perf_counter() - self.began)}


def _face_of(image: RgbImage, found: Detections, index: int) -> FaceAnswer | None:
    """None for a box that lies outside the picture: there are no pixels to measure."""
    box = found.boxes[index]
    if areas(box[None])[0] <= 0:
        return None
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return FaceAnswer(
        box=(x1, y1, x2, y2),
        detection_score=float(found.scores[index]),
        quality=quality(image, box, found.landmarks[index], np.delete(found.boxes, index, axis=0)),
        faces=len(found),
    )


def _embedding(encoder: Encoder, image: RgbImage, landmarks: Landmarks) -> Embeddings | None:
    """float32 [D]; None where five points allow no alignment."""
    try:
        chip = align(image, landmarks)
    except DegenerateLandmarks:
        return None
    return np.asarray(encoder.encode(chip[None])[0], np.float32)
