"""Broken picture files: each kind of file, and each way in which it breaks or lies."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

Rng = np.random.Generator


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """(what was done to which kind, the file); the same two numbers give the same file."""
    rng = np.random.default_rng([seed, number])
    names = sorted(_originals())
    name = names[number % len(names)]
    ways = list(_WAYS)
    way = ways[int(rng.integers(len(ways)))]
    return f"{name} {way}", _WAYS[way](_originals()[name], rng)


def _flips(data: bytes, rng: Rng) -> bytes:
    """1 to 64 bits anywhere."""
    held = bytearray(data)
    for place in rng.integers(0, len(held), int(rng.integers(1, 65))):
        held[place] ^= 1 << int(rng.integers(8))
    return bytes(held)


def _header_flips(data: bytes, rng: Rng) -> bytes:
    """1 to 8 bytes of the first 64 replaced: sizes, depths, offsets."""
    held = bytearray(data)
    for place in rng.integers(2, min(64, len(held)), int(rng.integers(1, 9))):
        held[place] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))]))
    return bytes(held)


def _truncation(data: bytes, rng: Rng) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _truncation_with_end(data: bytes, rng: Rng) -> bytes:
    """Cut, and the end marker put back: the file says that it is whole."""
    tail = 12 if data[:4] == b"\x89PNG" else 2
    return _truncation(data, rng) + data[-tail:]


def _size_lie(data: bytes, rng: Rng) -> bytes:
    """The picture's size replaced; one in five by the largest that is accepted, or beyond."""
    near = [(1, 1), (161, 120), (160, 119), (4000, 40), (700, 700), (120, 160)]
    far = [(65_500, 610), (6300, 6300), (8000, 5000), (40_000_000, 1), (30_000, 30_000)]
    sizes = far if rng.random() < 0.2 else near
    width, height = sizes[int(rng.integers(len(sizes)))]
    held = bytearray(data)
    if data[:4] == b"\x89PNG":
        struct.pack_into(">II", held, 16, width, height)
        struct.pack_into(">I", held, 29, zlib.crc32(bytes(held[12:29])))
    elif data[:2] == b"BM":
        struct.pack_into("<ii", held, 18, width, height)
    elif data[:4] == b"GIF8":
        struct.pack_into("<HH", held, 6, width & 0xFFFF, height & 0xFFFF)
    elif data[:2] == b"\xff\xd8":
        for marker in (b"\xff\xc0\x00", b"\xff\xc2\x00"):
            place = data.find(marker)
            if place > 0:
                struct.pack_into(">HH", held, place + 5, height & 0xFFFF, width & 0xFFFF)
    elif data[:2] in (b"II", b"MM"):
        _tiff_sizes(held, width, height)
    else:
        held[24:30] = (width - 1 & 0xFFFFFF).to_bytes(3, "little") + (
            height - 1 & 0xFFFFFF
        ).to_bytes(3, "little")
    return bytes(held)


def _tiff_sizes(held: bytearray, width: int, height: int) -> None:
    order = "<" if held[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", held, 4)
    (count,) = struct.unpack_from(order + "H", held, place)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", held, entry)
        if tag in (256, 257, 278):  # 278: rows a strip
            value = width if tag == 256 else height
            struct.pack_into(order + "HII", held, entry + 2, 4, 1, value)


def _block_moved(data: bytes, rng: Rng) -> bytes:
    """A piece cut out, doubled, or put elsewhere."""
    start, end = sorted(int(place) for place in rng.integers(0, len(data), 2))
    to = int(rng.integers(0, len(data)))
    piece = data[start:end][: 1 << 16]
    return [data[:start] + data[end:], data[:to] + piece + data[to:]][int(rng.integers(2))]


def _noise(data: bytes, rng: Rng) -> bytes:
    """The right beginning, then noise."""
    keep = int(rng.integers(4, 40))
    return data[:keep] + rng.bytes(int(rng.integers(0, 5000)))


_WAYS: dict[str, Callable[[bytes, Rng], bytes]] = {
    "bits flipped": _flips,
    "header flipped": _header_flips,
    "cut": _truncation,
    "cut, end put back": _truncation_with_end,
    "size lie": _size_lie,
    "block moved": _block_moved,
    "noise": _noise,
}


@cache
def _originals() -> dict[str, bytes]:
    """Whole files, one a kind; real sizes stay small, so that thousands pass in minutes."""
    small = np.random.default_rng(5).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC)
    clear = np.dstack([image, image[:, :, 0]])
    deep = image.astype(np.uint16) << 8
    held = {
        "JPEG": _file(image, ".jpg"),
        "JPEG progressive": _file(image, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "JPEG with EXIF": _with_exif(_file(image, ".jpg")),
        "PNG": _file(image, ".png"),
        "PNG 16 bit alpha": _file(np.dstack([deep, deep[:, :, 0]]), ".png"),
        "PNG text bomb": _with_text_bomb(_file(image, ".png")),
        "WebP": _file(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        "WebP lossless alpha": _file(clear, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
        "BMP": _file(image, ".bmp"),
        "BMP alpha": _file(clear, ".bmp"),
        "TIFF": _file(image, ".tiff"),
        "TIFF float": _file(image.astype(np.float32) / 255, ".tiff"),
        "TIFF 16 bit alpha": _file(np.dstack([deep, deep[:, :, 0]]), ".tiff"),
    }
    return held | _by_pillow(image)


def _by_pillow(image: np.ndarray) -> dict[str, bytes]:
    """Kinds that OpenCV does not write as others do."""
    from PIL import Image

    first = Image.fromarray(image)
    more = [Image.fromarray(np.roll(image, 9 * step, axis=1)) for step in range(1, 9)]

    def saved(kind: str, picture: Image.Image = first, **options: object) -> bytes:
        stream = io.BytesIO()
        picture.save(stream, kind, **options)
        return stream.getvalue()

    return {
        "GIF": saved("GIF"),
        "GIF animated": saved("GIF", save_all=True, append_images=more),
        "WebP animated": saved("WEBP", save_all=True, append_images=more),
        "PNG animated": saved("PNG", save_all=True, append_images=more),
        "PNG palette": saved("PNG", first.convert("P")),
        "JPEG CMYK": saved("JPEG", first.convert("CMYK")),
        "TIFF deflate": saved("TIFF", compression="tiff_adobe_deflate"),
        "TIFF tiled LZW": saved("TIFF", compression="tiff_lzw"),
        "TIFF two pages": saved("TIFF", save_all=True, append_images=more[:1]),
        "BMP palette": saved("BMP", first.convert("P")),
    }


def _file(image: np.ndarray, suffix: str, *options: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(options))
    assert done
    return data.tobytes()


def _with_exif(jpeg: bytes) -> bytes:
    """EXIF whose second directory points back at the first."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 8)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def _with_text_bomb(png: bytes) -> bytes:
    """A compressed text of 64 MB in a chunk of 64 kB."""
    body = b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    return png[:33] + chunk + struct.pack(">I", zlib.crc32(b"zTXt" + body)) + png[33:]
