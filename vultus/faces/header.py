"""Kind, size and completeness of a picture file, read from its bytes without unpacking a pixel."""

import struct
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """What the first and last bytes say."""

    kind: str
    width: int
    height: int
    complete: bool
    may_have_alpha: bool = False


def read_header(data: bytes) -> Header | None:
    """The header of a picture file; None, if the bytes are of no kind that is known here."""
    for magic, reader in _READERS:
        if data.startswith(magic):
            try:
                return reader(data)
            except (struct.error, IndexError, KeyError, ValueError):
                return Header(magic.strip(b"\x89\r\n\x00*+").decode("latin-1"), 0, 0, False)
    return None


def _jpeg(data: bytes) -> Header:
    """Walk the segments to the frame header; the end marker says whether the file is whole."""
    place = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, place)
        if marker >> 8 != 0xFF:
            raise ValueError("a segment does not begin with 0xFF")
        if marker == 0xFFFF:  # a fill byte
            place += 1
            continue
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            complete = b"\xff\xd9" in data[-4096:]
            return Header("JPEG", width, height, complete)
        place += 2 + length


def _png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    return Header("PNG", width, height, b"IEND" in data[-64:], may_have_alpha=True)


def _gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("GIF", width, height, len(data) > 13)


def _bmp(data: bytes) -> Header:
    size, *_ = struct.unpack_from("<I", data, 2)
    width, height = struct.unpack_from("<ii", data, 18)
    return Header("BMP", width, abs(height), len(data) >= size)


def _webp(data: bytes) -> Header:
    size, form = struct.unpack_from("<I4s", data, 4)
    if form != b"WEBP":
        raise ValueError("a RIFF file that is not WebP")
    whole = len(data) >= size + 8
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, 26))
    return Header("WebP", width, height, whole, may_have_alpha=True)


def _tiff(data: bytes) -> Header:
    """First directory of the file; tags 256 and 257 are width and height."""
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, place)
    sizes = {}
    for index in range(count):
        entry = place + 2 + 12 * index
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        form = order + ("H" if kind == 3 else "I")
        if tag in (256, 257):
            (sizes[tag],) = struct.unpack_from(form, data, entry + 8)
    return Header("TIFF", sizes[256], sizes[257], True, may_have_alpha=True)


_READERS: tuple[tuple[bytes, Callable[[bytes], Header]], ...] = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"BM", _bmp),
    (b"RIFF", _webp),
    (b"II*\x00", _tiff),
    (b"MM\x00*", _tiff),
)
