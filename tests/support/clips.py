"""Short videos whose frames can be told apart: frame n shows the bits of n as bars."""

from pathlib import Path

import cv2
import numpy as np

_BITS = 8
_DARK, _BRIGHT = 40, 200
_CODECS = {".avi": "MJPG", ".mov": "mp4v", ".mp4": "mp4v"}


def write_clip(file: Path, frames: int = 60, side: int = 64, first: int = 0) -> Path:
    """A clip of `frames` at 25 a second."""
    file.parent.mkdir(parents=True, exist_ok=True)
    codec = cv2.VideoWriter_fourcc(*_CODECS[file.suffix])
    writer = cv2.VideoWriter(str(file), codec, 25, (side, side))
    assert writer.isOpened()
    for number in range(first, first + frames):
        bars = [_BRIGHT if number >> bit & 1 else _DARK for bit in range(_BITS)]
        row = np.repeat(np.array(bars, np.uint8), side // _BITS)
        writer.write(np.tile(row[None, :, None], (side, 1, 3)))
    writer.release()
    return file


def number_of(frame: np.ndarray) -> int:
    """Which frame a decoded picture is."""
    bars = frame.mean(axis=(0, 2)).reshape(_BITS, -1).mean(axis=1)
    return sum(int(bar > (_DARK + _BRIGHT) / 2) << bit for bit, bar in enumerate(bars))
