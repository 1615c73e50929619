"""Broken files: each is a picture or a BadImage, quickly, in little memory, and none is lost."""

import io

import cv2
import numpy as np
import pytest

from benchmarks.soak_mutations import RSS_MB, soak
from support.pictures import encoded, scene
from vultus.errors import BadImage
from vultus.faces.header import read_header
from vultus.faces.picture import decode_image

IMAGE = scene()


@pytest.mark.slow
def test_a_thousand_broken_files_are_all_accounted_for() -> None:
    account = soak(1000, seed=1)
    assert account.total == 1000
    assert (account.crashed, account.hung, account.other_errors) == ([], [], {})
    assert min(account.unpacked, account.refused) > 100
    assert account.peak_rss_mb <= RSS_MB


def test_deep_pictures_may_have_fewer_pixels() -> None:
    deep = np.dstack([IMAGE, IMAGE[:, :, 0]]).astype(np.uint16) << 8
    pixels = deep.shape[0] * deep.shape[1]
    for suffix in (".png", ".tiff"):
        data = encoded(deep, suffix)
        assert decode_image(data, max_pixels=2 * pixels).shape == IMAGE.shape
        with pytest.raises(BadImage, match=f"pixels of 8 bytes, at most {pixels} of 4"):
            decode_image(data, max_pixels=pixels)
    header = read_header(encoded(IMAGE.astype(np.float32), ".tiff"))
    assert header is not None
    assert header.bytes_per_pixel == 12


def test_the_larger_of_two_sizes_counts() -> None:
    """A TIFF may give its width twice; which one a reader takes is its own affair."""
    data = bytearray(encoded(IMAGE, ".tiff"))
    place = int.from_bytes(data[4:8], "little")
    for entry in range(place + 2, place + 2 + 12 * data[place], 12):
        if data[entry : entry + 2] == (259).to_bytes(2, "little"):
            data[entry : entry + 12] = bytes.fromhex("0001 0400 01000000 FFFFFF00")
    with pytest.raises(BadImage, match="16777215 x 48"):
        decode_image(bytes(data))


def test_the_first_kind_of_bmp_has_short_sizes() -> None:
    rows = b"".join(bytes([1, 2, 3]) * 4 for _ in range(5))
    head = b"BM" + (26 + len(rows)).to_bytes(4, "little") + bytes(4) + (26).to_bytes(4, "little")
    core = (12).to_bytes(4, "little") + bytes([4, 0, 5, 0, 1, 0, 24, 0])
    assert decode_image(head + core + rows).shape == (5, 4, 3)


def test_half_clear_is_mixed_with_white_to_the_nearest() -> None:
    """All 65,536 pairs of colour and alpha against the formula."""
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    image = np.dstack([colour] * 3 + [alpha]).astype(np.uint8)
    expected = np.rint((colour * alpha + 255.0 * (255 - alpha)) / 255)
    done, data = cv2.imencode(".png", image)
    assert done
    np.testing.assert_array_equal(decode_image(data.tobytes())[:, :, 1], expected)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_any_animation_the_first_frame_is_taken(kind: str) -> None:
    from PIL import Image

    stream = io.BytesIO()
    frames = [Image.fromarray(scene(seed=seed)) for seed in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:], **options)
    decoded = decode_image(stream.getvalue())
    assert np.abs(decoded.astype(int) - scene(seed=0)).mean() < 15
    with pytest.raises(BadImage, match="of 8 bytes"):
        decode_image(stream.getvalue(), max_pixels=decoded.shape[0] * decoded.shape[1])


def test_a_large_picture_is_turned_to_rgb_like_a_small_one() -> None:
    """Rows are converted in strips; the seams must not show."""
    tall = scene(1030, 20)
    np.testing.assert_array_equal(decode_image(encoded(tall, ".png")), tall)
    deep = (tall.astype(np.uint16) << 8) | 99
    np.testing.assert_array_equal(decode_image(encoded(deep, ".png")), tall)
