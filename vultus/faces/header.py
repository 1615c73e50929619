"""Kind, size and completeness of a picture file, read from its bytes without unpacking a pixel."""

import struct
from collections.abc import Callable
from typing import NamedTuple

_JPEG_END = b"\xff\xd9"
_WEBP_ANIMATED = 0x02
_ANIMATED = 8
"""Bytes a pixel of an animation: its decoder keeps two canvases of RGBA."""


Data = bytes | memoryview


class Header(NamedTuple):
    """What the first and last bytes say; a tuple, because one is made for each of millions of files."""

    kind: str
    width: int
    height: int
    complete: bool
    may_have_alpha: bool = False
    bytes_per_pixel: int = 3
    """Unpacked, as the file has them: 16-bit RGBA takes 8, and so does an animation."""


def read_header(data: Data) -> Header | None:
    """The header of a picture file; None, if the bytes are of no kind that is known here."""
    first = bytes(data[:_MAGIC_BYTES])
    for magic, kind, reader in _READERS:
        if first.startswith(magic):
            try:
                return reader(data)
            except (struct.error, IndexError, KeyError, ValueError):
                return Header(kind, 0, 0, False)
    return None


def _jpeg(data: Data) -> Header:
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
            complete = data[-2:] == _JPEG_END or _JPEG_END in bytes(data[-4096:])
            return Header("JPEG", width, height, complete)
        place += 2 + length


def _png(data: Data) -> Header:
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    channels = {2: 3, 3: 4, 4: 2, 6: 4}.get(colours, 1)
    depth = max(3, channels * (2 if bits == 16 else 1))
    held = bytes(data)
    if b"acTL" in held[: held.find(b"IDAT")]:
        depth = max(_ANIMATED, depth)
    whole = b"IEND" in held[-64:]
    return Header("PNG", width, height, whole, may_have_alpha=True, bytes_per_pixel=depth)


def _gif(data: Data) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("GIF", width, height, len(data) > 13, bytes_per_pixel=_ANIMATED)


def _bmp(data: Data) -> Header:
    size, *_ = struct.unpack_from("<I", data, 2)
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    # The first kind of BMP, with a header of 12 bytes, has 16-bit sizes.
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", data, 18)
    return Header("BMP", width, abs(height), len(data) >= size)


def _webp(data: Data) -> Header:
    size, form = struct.unpack_from("<I4s", data, 4)
    if form != b"WEBP":
        raise ValueError("a RIFF file that is not WebP")
    whole = len(data) >= size + 8
    chunk, depth = data[12:16], 4
    if chunk == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
        depth = _ANIMATED if data[20] & _WEBP_ANIMATED else 4
    elif chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, 26))
    return Header("WebP", width, height, whole, may_have_alpha=True, bytes_per_pixel=depth)


def _tiff(data: Data) -> Header:
    """First directory of the file: width, height, bits (258) and samples (277) of a pixel.

    Of a tag that comes twice the larger value counts: readers differ in which one they take.
    """
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, place)
    said = {258: 8, 277: 1}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, entry)
        form = order + ("H" if kind == 3 else "I")
        if tag in (256, 257, 258, 277):
            at = entry + 8
            if kind == 3 and values > 2:  # too long for the entry: it says where they are
                (at,) = struct.unpack_from(order + "I", data, at)
            said[tag] = max(said.get(tag, 0), *struct.unpack_from(form, data, at))
    depth = max(3, said[277] * max(1, said[258] // 8))
    return Header("TIFF", said[256], said[257], True, may_have_alpha=True, bytes_per_pixel=depth)


_READERS: tuple[tuple[bytes, str, Callable[[Data], Header]], ...] = (
    (b"\xff\xd8\xff", "JPEG", _jpeg),
    (b"\x89PNG\r\n\x1a\n", "PNG", _png),
    (b"GIF8", "GIF", _gif),
    (b"BM", "BMP", _bmp),
    (b"RIFF", "WebP", _webp),
    (b"II*\x00", "TIFF", _tiff),
    (b"MM\x00*", "TIFF", _tiff),
)
_MAGIC_BYTES = max(len(magic) for magic, _, _ in _READERS)
