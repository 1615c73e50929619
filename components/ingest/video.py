"""Pictures out of a video: every n-th frame, decoded forwards, never twice from the start."""

from pathlib import Path
from typing import Any

import cv2

from components.ingest.files import fingerprint_of
from vultus.contracts.arrays import RgbImage
from vultus.errors import BadImage, BadSource, SourceChanged, SourceVanished
from vultus.faces.picture import encode_jpeg

SUFFIXES = {".mov", ".mp4", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp"}
_QUALITY = 98
_LEAST_FRAME_BYTES = 8
"""A container spends at least so much on a frame (guess): a header that says more frames lies."""
_TRIES = 2


def frames_of(file: Path, every: int) -> range:
    """Numbers of the frames to take: 0, every, 2 · every, …

    Raises: BadSource, if the file is no video that can be opened.
    """
    capture = _open(file)
    try:
        said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if said <= 0:  # a container without an index: count them
            said = 0
            while capture.grab():
                said += 1
    finally:
        capture.release()
    return range(0, min(said, file.stat().st_size // _LEAST_FRAME_BYTES), every)


class FrameReader:
    """Holds the video it read last open where it stands, so that the next frame is near."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._fingerprint = ""
        self._capture: Any = None
        self._next = 0

    def read(self, file: Path, number: int) -> bytes:
        """One frame as a JPEG of quality 98 with all of its colour: PAD looks at fine traces.

        Raises: BadImage, if there is no such frame; SourceChanged; SourceVanished; BadSource.
        """
        for _ in range(_TRIES):
            before = _stamp(file)
            if (file, before) != (self._file, self._fingerprint) or number < self._next:
                self._reopen(file, before)
            frame = self._decode(number)
            if _stamp(file) == before:
                if frame is None:
                    raise BadImage(f"{file.name}: the video ends before its frame {number}")
                return encode_jpeg(frame, _QUALITY, full_colour=True)
        raise SourceChanged(f"{file.name} is being written to; ingest again when that is done")

    def _decode(self, number: int) -> RgbImage | None:
        while self._next <= number:
            if not self._capture.grab():
                return None
            self._next += 1
        done, frame = self._capture.retrieve()
        return frame[:, :, ::-1] if done and frame is not None and frame.ndim == 3 else None

    def _reopen(self, file: Path, fingerprint: str) -> None:
        if self._capture is not None:
            self._capture.release()
        self._file, self._capture = None, None
        self._capture = _open(file)
        self._file, self._fingerprint, self._next = file, fingerprint, 0

    def __reduce__(self) -> tuple[type["FrameReader"], tuple[()]]:
        return FrameReader, ()  # an open video stays behind


def _stamp(file: Path) -> str:
    try:
        return fingerprint_of(file.stat())
    except FileNotFoundError as error:
        raise SourceVanished(f"{file.name} is gone since it was listed") from error
    except OSError as error:
        raise BadSource(f"{file.name} cannot be read: {error.strerror}") from error


def _open(file: Path) -> Any:
    capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise BadSource(f"{file.name} is no video that can be opened; it is damaged or closed")
    return capture
