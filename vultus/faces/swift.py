"""The same three nets with less work around them: for DetectorParams.mode `fast`.

What differs from `cascade`: the scales lie on one canvas, each shrunk from the half image that is
nearest to it; crops are bilinear samples of such halves; boxes keep their fractions; candidates
are looked at a batch at a time, best first, for as long as batches bring faces; the last pass looks
closer twice, and at the mirror images too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, LandmarkSets, RgbBatch, RgbImage, Scores
from vultus.contracts.seams import Detections
from vultus.contracts.transform import DetectorParams
from vultus.faces.boxes import areas, clipped, moved, nms, scaled, squared
from vultus.faces.canvas import painted, plan_for
from vultus.faces.octaves import Octaves

Floats = NDArray[np.float32]
_NMS_LEVEL, _NMS_ALL, _NMS_REFINED, _NMS_LAST = 0.5, 0.4, 0.4, 0.7
_BATCH = 32
"""Candidates that are looked at together; one face before a plain wall has 9 (mean of renders)."""
_SAMPLES = 2
"""Across and down each pixel of the last net's crops: its landmarks then shake no more than those of
`cascade` when the picture moves (measured; with 1 they shake by a tenth more)."""
_GLIMPSES = (1.0, 0.93, 0.87)
"""Sides of the squares the last pass sees of a face, as shares of its own. The mean of their landmarks
is nearer the truth than those of any one (renders: 5.9 % of the eye distance, 6.2 % from the first
alone), for the net's errors at different sizes are not the same."""
_MOST_CELLS = 1500
"""A wall of cells is thinned to its best before boxes are compared in pairs."""


@dataclass(frozen=True)
class SwiftNets:
    """The three networks; inputs RGB uint8 [N, H, W, 3]; a logit is that of a face against none.

    proposal: [1, H, W, 3] -> offsets and logit float32 [5, h, w].
    refine: [N, 24, 24, 3] -> offsets and logit float32 [N, 5].
    output: [N, 48, 48, 3] -> offsets, logit, landmarks float32 [N, 15] (x0..x4, y0..y4, in the box).
    """

    proposal: Callable[[RgbBatch], Floats]
    refine: Callable[[RgbBatch], Floats]
    output: Callable[[RgbBatch], Floats]


class SwiftCascade:
    """A Detector without state between images."""

    def __init__(self, nets: SwiftNets, params: DetectorParams) -> None:
        self._nets = nets
        self.params = params
        shares = np.clip(np.array(params.thresholds, np.float64), 1e-6, 1 - 1e-6)
        self._least = np.log(shares / (1 - shares))

    def detect(self, image: RgbImage) -> Detections:
        """All faces of one RGB image, largest first; boxes are clipped to the image."""
        octaves = Octaves(image)
        candidates = self._propose(image, octaves)
        faces: list[tuple[Boxes, LandmarkSets, Scores]] = []
        for start in range(0, len(candidates), _BATCH):
            found = self._judged(octaves, candidates[start : start + _BATCH])
            if len(found[0]):
                faces.append(found)
            elif faces:
                break
        if not faces:
            return Detections.none()
        boxes, landmarks, logits = (np.concatenate(part) for part in zip(*faces, strict=True))
        keep = nms(boxes, logits, _NMS_LAST, over="smaller")
        boxes, landmarks, logits = boxes[keep], landmarks[keep], logits[keep]
        if self.params.refine:
            boxes, landmarks, logits = self._again(octaves, boxes, landmarks, logits)
        order = np.argsort(-areas(boxes), kind="stable")
        return Detections(
            clipped(boxes[order], *image.shape[:2]),
            landmarks[order].astype(np.float32),
            (1 / (1 + np.exp(-logits[order]))).astype(np.float32),
        )

    def _propose(self, image: RgbImage, octaves: Octaves) -> Boxes:
        """P-Net over the canvas. Returns squares, float32 [N, 4], best first."""
        height, width = image.shape[:2]
        plan = plan_for(height, width, self.params.min_face_px, self.params.factor)
        if plan is None:
            return np.zeros((0, 4), np.float32)
        answer = self._nets.proposal(painted(octaves, plan)[None])
        cells = plan.cells(answer[4], float(self._least[0]))[:_MOST_CELLS]
        if len(cells) == 0:
            return np.zeros((0, 4), np.float32)
        level, boxes = plan.seen(cells)
        logits = answer[4].reshape(-1)[cells]
        # Levels are kept apart by moving each to a place of its own: one comparison for all of them.
        apart = boxes + level[:, None].astype(np.float32) * np.float32(2 * max(height, width))
        keep = nms(apart, logits, _NMS_LEVEL)
        keep = keep[nms(boxes[keep], logits[keep], _NMS_ALL)]
        offsets = answer[:4].reshape(4, -1)[:, cells[keep]].T
        return squared(moved(boxes[keep], offsets, inclusive=0))

    def _judged(self, octaves: Octaves, boxes: Boxes) -> tuple[Boxes, LandmarkSets, Scores]:
        """R-Net, then O-Net. Returns boxes, landmarks [N, 5, 2] and logits of the faces."""
        answer = self._nets.refine(octaves.crops(_as_trained(boxes), 24))
        good = answer[:, 4] > self._least[1]
        boxes, answer = boxes[good], answer[good]
        keep = nms(boxes, answer[:, 4], _NMS_REFINED)
        boxes = squared(moved(boxes[keep], answer[keep, :4], inclusive=1))
        boxes, landmarks, logits = self._output(octaves, boxes)
        good = logits > self._least[2]
        return boxes[good], landmarks[good], logits[good]

    def _again(
        self, octaves: Octaves, boxes: Boxes, landmarks: LandmarkSets, logits: Scores
    ) -> tuple[Boxes, LandmarkSets, Scores]:
        """One more O-Net pass on squares about each face and on their mirror images: the mean
        landmarks shake less under a shift, and what the net thinks of left and right alone cancels
        out. Box and logit are those of the face's own square."""
        squares = np.concatenate([scaled(squared(boxes), share) for share in _GLIMPSES])
        seen = self._output(octaves, squares, mirrored=True)
        new_boxes, each, new_logits = seen[0][: len(boxes)], seen[1], seen[2][: len(boxes)]
        new_landmarks = each.reshape(len(_GLIMPSES), *landmarks.shape).mean(axis=0)
        better = new_logits > self._least[2]
        return (
            np.where(better[:, None], new_boxes, boxes),
            np.where(better[:, None, None], new_landmarks, landmarks),
            np.where(better, new_logits, logits),
        )

    def _output(
        self, octaves: Octaves, boxes: Boxes, *, mirrored: bool = False
    ) -> tuple[Boxes, LandmarkSets, Scores]:
        if len(boxes) == 0:
            empty = np.zeros
            return boxes, empty((0, 5, 2), np.float32), empty(0, np.float32)
        seen = _as_trained(boxes)
        crops = octaves.crops(seen, 48, samples=_SAMPLES)
        if mirrored:
            both = self._nets.output(np.concatenate([crops, crops[:, :, ::-1]]))
            mean = (both[: len(crops)] + _unmirrored(both[len(crops) :])) / 2
            answer = mean.astype(np.float32)
        else:
            answer = self._nets.output(crops)
        points = answer[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = points * (seen[:, 2:] - seen[:, :2])[:, None] + seen[:, None, :2]
        return moved(boxes, answer[:, :4], inclusive=1), landmarks, answer[:, 4]


def _unmirrored(answer: Floats) -> Floats:
    """What O-Net says of mirrored crops, float32 [N, 15], said of the crops themselves."""
    left, top, right, bottom, logit = answer[:, :5].T
    across, down = answer[:, 5:10], answer[:, 10:]
    swap = [1, 0, 2, 4, 3]
    edges = np.stack([-right, top, -left, bottom, logit], axis=1)
    return np.concatenate([edges, 1 - across[:, swap], down[:, swap]], axis=1)


def _as_trained(boxes: Boxes) -> Boxes:
    """The published nets were trained on crops that begin one pixel before x1, y1."""
    return boxes - np.array([1, 1, 0, 0], np.float32)
