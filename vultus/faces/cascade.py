"""MTCNN: three small nets find, refine and confirm faces, and place five landmarks.

Source: Zhang et al., Joint face detection and alignment using multi-task cascaded convolutional
networks, SPL 2016. The nets come as callables, so that this file knows no runtime.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, LandmarkSets, RgbImage, Scores
from vultus.contracts.seams import Detections, Detector
from vultus.contracts.transform import DetectorParams
from vultus.faces.boxes import areas, clipped, moved, nms, squared
from vultus.faces.pyramid import levels, scales_for

Floats = NDArray[np.float32]
_CELL = 12
_STRIDE = 2
_NMS_LEVEL, _NMS_ALL, _NMS_LAST = 0.5, 0.7, 0.7
_OUTPUT_BATCH = 64


@dataclass(frozen=True)
class Nets:
    """The three networks; inputs float32 [N, H, W, 3] RGB, already (pixel - 127.5) / 128.

    proposal: [1, H, W, 3] -> offsets [1, h, w, 4], face probability [1, h, w].
    refine: [N, 24, 24, 3] -> offsets [N, 4], probability [N].
    output: [N, 48, 48, 3] -> offsets [N, 4], landmarks [N, 5, 2] in the box (x, y), probability [N].
    """

    proposal: Callable[[Floats], tuple[Floats, Floats]]
    refine: Callable[[Floats], tuple[Floats, Floats]]
    output: Callable[[Floats], tuple[Floats, Floats, Floats]]


class Cascade:
    """A Detector; each thread keeps its own crop buffers between images."""

    def __init__(self, nets: Nets, params: DetectorParams) -> None:
        self._nets = nets
        self.params = params
        self._kept = _Buffers()

    def detect(self, image: RgbImage) -> Detections:
        """All faces of one RGB image, largest first; boxes are clipped to the image."""
        boxes = self._propose(image)
        boxes = self._refine(image, boxes)
        faces, landmarks, scores = self._confirm(image, boxes)
        if self.params.refine and len(faces):
            faces, landmarks, scores = self._again(image, faces, landmarks, scores)
        order = np.argsort(-areas(faces), kind="stable")
        return Detections(
            clipped(faces[order], *image.shape[:2]),
            landmarks[order].astype(np.float32),
            scores[order].astype(np.float32),
        )

    def _propose(self, image: RgbImage) -> Boxes:
        """P-Net over the pyramid. Returns square candidates, float32 [N, 4]."""
        threshold = self.params.thresholds[0]
        found: list[NDArray[np.float32]] = []
        scales = scales_for(image.shape, self.params.min_face_px, self.params.factor)
        for scale, level in levels(image, scales):
            offsets, chances = self._nets.proposal(_normalised(level)[None])
            rows, columns = np.nonzero(chances[0] >= threshold)
            if len(rows) == 0:
                continue
            corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
            cells = np.concatenate(
                [np.trunc((corner + 1) / scale), np.trunc((corner + _CELL) / scale)], axis=1
            )
            chance = chances[0, rows, columns]
            keep = nms(cells, chance, _NMS_LEVEL)
            entry = np.concatenate([cells, chance[:, None], offsets[0, rows, columns]], axis=1)
            found.append(entry[keep])
        if not found:
            return np.zeros((0, 4), np.float32)
        every = np.concatenate(found).astype(np.float32)
        every = every[nms(every[:, :4], every[:, 4], _NMS_ALL)]
        return squared(moved(every[:, :4], every[:, 5:], inclusive=0))

    def _refine(self, image: RgbImage, boxes: Boxes) -> Boxes:
        """R-Net. Returns fewer, better squares."""
        if len(boxes) == 0:
            return boxes
        boxes = np.trunc(boxes)
        offsets, chances = self._nets.refine(self._crops(image, boxes, 24))
        good = chances > self.params.thresholds[1]
        boxes, offsets, chances = boxes[good], offsets[good], chances[good]
        keep = nms(boxes, chances, _NMS_ALL)
        return squared(moved(boxes[keep], offsets[keep], inclusive=1))

    def _confirm(self, image: RgbImage, boxes: Boxes) -> tuple[Boxes, LandmarkSets, Scores]:
        """O-Net. Returns boxes, landmarks [N, 5, 2] and probabilities of the faces."""
        boxes, landmarks, chances = self._output(image, np.trunc(boxes))
        good = chances > self.params.thresholds[2]
        boxes, landmarks, chances = boxes[good], landmarks[good], chances[good]
        keep = nms(boxes, chances, _NMS_LAST, over="smaller")
        return boxes[keep], landmarks[keep], chances[keep]

    def _again(
        self, image: RgbImage, boxes: Boxes, landmarks: LandmarkSets, chances: Scores
    ) -> tuple[Boxes, LandmarkSets, Scores]:
        """One more O-Net pass on each face's own square: the landmarks shake less under a shift."""
        new_boxes, new_landmarks, new_chances = self._output(image, np.trunc(squared(boxes)))
        better = new_chances > self.params.thresholds[2]
        return (
            np.where(better[:, None], new_boxes, boxes),
            np.where(better[:, None, None], new_landmarks, landmarks),
            np.where(better, new_chances, chances),
        )

    def _output(self, image: RgbImage, boxes: Boxes) -> tuple[Boxes, LandmarkSets, Scores]:
        if len(boxes) == 0:
            empty = np.zeros
            return boxes, empty((0, 5, 2), np.float32), empty(0, np.float32)
        parts = [
            self._nets.output(self._crops(image, boxes[start : start + _OUTPUT_BATCH], 48))
            for start in range(0, len(boxes), _OUTPUT_BATCH)
        ]
        offsets, relative, chances = (np.concatenate(part) for part in zip(*parts, strict=True))
        sides = (boxes[:, 2:] - boxes[:, :2] + 1)[:, None, :]
        landmarks = relative * sides + boxes[:, None, :2] - 1
        return moved(boxes, offsets, inclusive=1), landmarks, chances

    def _crops(self, image: RgbImage, boxes: Boxes, side: int) -> Floats:
        """Cut boxes (which begin one pixel before x1, y1, as the published nets were trained) into
        the kept buffer. float32 [N, side, side, 3], black beyond the image."""
        buffer = self._kept.by_side.get(side)
        if buffer is None or len(buffer) < len(boxes):
            buffer = np.empty((max(len(boxes), 32), side, side, 3), np.float32)
            self._kept.by_side[side] = buffer
        height, width = image.shape[:2]
        for index, (x1, y1, x2, y2) in enumerate(boxes.astype(np.int64)):
            left, top = x1 - 1, y1 - 1
            inner = image[max(top, 0) : min(y2, height), max(left, 0) : min(x2, width)]
            if inner.size == 0:
                buffer[index] = -127.5 / 128
                continue
            if inner.shape[:2] != (y2 - top, x2 - left):
                beyond = (max(-top, 0), max(y2 - height, 0), max(-left, 0), max(x2 - width, 0))
                inner = np.asarray(
                    cv2.copyMakeBorder(inner, *beyond, cv2.BORDER_CONSTANT), np.uint8
                )
            small = cv2.resize(inner, (side, side), interpolation=cv2.INTER_AREA)
            buffer[index] = _normalised(np.asarray(small, np.uint8))
        return buffer[: len(boxes)]


class _Buffers(threading.local):
    def __init__(self) -> None:
        self.by_side: dict[int, Floats] = {}


def detect_with_border(detector: Detector, image: RgbImage, border: float = 0.3) -> Detections:
    """Detect; where nothing is found, once more with the edge pixels repeated around the image.

    A face that fills the whole picture has no forehead or chin left for the cascade to see.

    Args: border: width of the added frame, share of the image's sides.
    """
    found = detector.detect(image)
    if len(found):
        return found
    height, width = image.shape[:2]
    down, across = int(height * border), int(width * border)
    framed = cv2.copyMakeBorder(image, down, down, across, across, cv2.BORDER_REPLICATE)
    found = detector.detect(np.asarray(framed, np.uint8))
    shift = np.array([across, down], np.float32)
    return Detections(
        clipped(found.boxes - np.tile(shift, 2), height, width),
        found.landmarks - shift,
        found.scores,
    )


def _normalised(image: RgbImage) -> Floats:
    # Not quite [-1, 1], on purpose: the published MTCNN weights expect this pair.
    return (image.astype(np.float32) - 127.5) * np.float32(1 / 128)
