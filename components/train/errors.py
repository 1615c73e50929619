"""What a network gets wrong, for people to look at: a sheet of the worst errors, a confusion.

A lesson that can show them has one or both methods of the protocols below; the engine asks after each
epoch, with the network as it was validated.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from torch import nn

from vultus.contracts.arrays import RgbImage

_TILE_PX, _TEXT_PX, _COLUMNS = 160, 36, 6
_WORST = 24
_PAPER, _INK, _RED = (255, 255, 255), (40, 40, 40), np.array((214, 69, 65), np.float64)
_CELL_PX, _SIDE_PX = (150, 40), 130

Confusion = Mapping[str, Mapping[str, int]]
"""What it was ("bona_fide", "print", …) -> what it was taken for -> how often."""


@runtime_checkable
class ShowsErrors(Protocol):
    """A lesson that has pictures to show."""

    def hardest(self, network: nn.Module, n: int) -> Sequence[tuple[int, float]]:
        """At most n errors or near errors, worst first: a number for `shown`, and the score."""

    def shown(self, index: int) -> tuple[RgbImage, str]:
        """The picture, or a pair side by side, and what it is in truth."""


@runtime_checkable
class CountsErrors(Protocol):
    """A lesson whose answers are classes."""

    def confusion(self, network: nn.Module) -> Confusion:
        """Counts on the validation split."""


def pages(lesson: object, network: nn.Module) -> dict[str, bytes]:
    """File name -> content: PNG sheets, and the confusion as JSON; empty, where there is nothing."""
    files: dict[str, bytes] = {}
    if isinstance(lesson, CountsErrors):
        confusion = lesson.confusion(network)
        if confusion:
            files["confusion.json"] = json.dumps(confusion, indent=2).encode()
            files["confusion.png"] = _png(_table(confusion))
    if isinstance(lesson, ShowsErrors):
        worst = lesson.hardest(network, _WORST)
        if worst:
            shown = [(*lesson.shown(index), score) for index, score in worst]
            files["hardest.png"] = _png(sheet(shown))
    return files


def sheet(pictures: Sequence[tuple[RgbImage, str, float]]) -> RgbImage:
    """Tiles with truth and score below, row by row: uint8 [H, W, 3]; pictures keep their shape."""
    columns = min(_COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    high = _TILE_PX + _TEXT_PX
    page = np.full((rows * high, columns * _TILE_PX, 3), _PAPER, np.uint8)
    for number, (picture, truth, score) in enumerate(pictures):
        top, left = number // columns * high, number % columns * _TILE_PX
        scale = (_TILE_PX - 4) / max(picture.shape[:2])
        size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(picture, size, interpolation=kind)
        page[top + 2 : top + 2 + size[1], left + 2 : left + 2 + size[0]] = small
        for line, text in enumerate((truth, f"score {score:.3f}")):
            _write(page, text, (left + 4, top + _TILE_PX + 13 + 15 * line))
    return page


def _table(confusion: Confusion) -> RgbImage:
    """Counts, each cell the redder the larger its share of the row: uint8 [H, W, 3]."""
    taken = sorted({name for row in confusion.values() for name in row})
    wide, high = _CELL_PX
    page = np.full((high * (len(confusion) + 1), _SIDE_PX + wide * len(taken), 3), _PAPER, np.uint8)
    for column, name in enumerate(taken):
        _write(page, name, (_SIDE_PX + wide * column + 8, 25))
    for row, (truth, counts) in enumerate(confusion.items(), start=1):
        _write(page, truth, (8, high * row + 25))
        everything = max(1, sum(counts.values()))
        for column, name in enumerate(taken):
            count = counts.get(name, 0)
            shade = 255 - (255 - _RED) * (0.7 * count / everything)
            left = _SIDE_PX + wide * column
            page[high * row : high * (row + 1) - 1, left : left + wide - 1] = shade.astype(np.uint8)
            _write(page, f"{count}  {100 * count / everything:.1f} %", (left + 8, high * row + 25))
    return page


def _write(page: RgbImage, text: str, place: tuple[int, int]) -> None:
    cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _INK, 1, cv2.LINE_AA)


def _png(page: RgbImage) -> bytes:
    data: bytes = cv2.imencode(".png", page[..., ::-1])[1].tobytes()
    return data
