"""Whatever a caller sends becomes upright 8-bit RGB, or an error that says why not."""

import io

import numpy as np
import pytest

from support.pictures import encoded, png_bomb, scene, with_exif_orientation
from vultus.errors import BadImage
from vultus.faces.picture import (
    decode_image,
    decode_reduced,
    encode_jpeg,
    encode_png,
    perceptual_hash,
)

IMAGE = scene()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_every_kind_comes_back_as_rgb(suffix: str) -> None:
    decoded = decode_image(encoded(IMAGE, suffix))
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - IMAGE).mean() < 6


def test_sixteen_bits_become_eight() -> None:
    deep = (IMAGE.astype(np.uint16) << 8) | 7
    np.testing.assert_array_equal(decode_image(encoded(deep, ".png")), IMAGE)


def test_grey_becomes_rgb() -> None:
    grey = IMAGE[:, :, 0]
    np.testing.assert_array_equal(decode_image(encoded(grey, ".png")), np.dstack([grey] * 3))


def test_alpha_is_laid_over_white() -> None:
    clear = np.dstack([IMAGE, np.zeros(IMAGE.shape[:2], np.uint8)])
    assert decode_image(encoded(clear, ".png")).min() == 255


def test_cmyk_becomes_rgb() -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(IMAGE).convert("CMYK").save(stream, "JPEG", quality=95)
    decoded = decode_image(stream.getvalue())
    assert decoded.shape == IMAGE.shape
    assert np.abs(decoded.astype(int) - IMAGE).mean() < 25


def test_of_an_animation_the_first_frame_is_taken() -> None:
    from PIL import Image

    stream = io.BytesIO()
    frames = [Image.fromarray(scene(seed=seed)) for seed in range(3)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    decoded = decode_image(stream.getvalue())
    assert np.abs(decoded.astype(int) - scene(seed=0)).mean() < 15


def test_exif_rotation_is_applied() -> None:
    turned = decode_image(with_exif_orientation(encoded(IMAGE), 6))
    assert turned.shape[:2] == IMAGE.shape[1::-1]
    assert np.abs(turned.astype(int) - np.rot90(IMAGE, -1)).mean() < 6


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"this is a letter, not a face" * 10, "no picture"),
        (encoded(IMAGE)[:-200], "cut short"),
        (encoded(IMAGE)[:30], "damaged|cut short"),
        (encoded(IMAGE, ".png")[:-40], "cut short"),
        (png_bomb(), "50000 x 50000"),
    ],
    ids=["zero bytes", "text", "truncated", "header only", "truncated png", "bomb"],
)
def test_what_is_no_picture_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadImage, match=said):
        decode_image(data)


def test_a_file_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(BadImage, match="at most 10"):
        decode_image(encoded(IMAGE), max_bytes=10)


@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_file_is_a_picture_or_a_bad_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(encoded(IMAGE, [".jpg", ".png", ".webp"][seed % 3]))
    for place in rng.integers(0, len(data), 6):
        data[place] = int(rng.integers(256))
    try:
        image = decode_image(bytes(data), max_pixels=1_000_000)
    except BadImage:
        return
    assert image.ndim == 3
    assert image.dtype == np.uint8


def test_near_duplicates_have_near_hashes() -> None:
    picture = scene(200, 240, seed=3)
    again = decode_image(encode_jpeg(picture, quality=40))
    other = scene(200, 240, seed=4)
    assert (perceptual_hash(picture) ^ perceptual_hash(again)).bit_count() <= 6
    assert (perceptual_hash(picture) ^ perceptual_hash(other)).bit_count() >= 16


@pytest.mark.parametrize(
    ("least_px", "factor"), [(0, 1), (401, 1), (400, 2), (201, 2), (200, 4), (1, 8)]
)
def test_a_large_jpeg_keeps_the_side_that_is_asked_for(least_px: int, factor: int) -> None:
    picture = scene(600, 800, seed=5)
    image, found = decode_reduced(encode_jpeg(picture), least_px)
    assert found == factor
    assert image.shape == (600 // factor, 800 // factor, 3)
    assert abs(image.mean() - picture.mean()) < 2


def test_a_reduced_picture_is_turned_as_a_whole_one() -> None:
    data = with_exif_orientation(encode_jpeg(scene(600, 800, seed=5)), 6)
    half, factor = decode_reduced(data, 400)
    assert (half.shape, factor) == ((400, 300, 3), 2)
    whole = decode_image(data)[::2, ::2].astype(int)
    assert np.abs(half - whole).mean() < 12


def test_only_jpeg_is_reduced() -> None:
    image, factor = decode_reduced(encoded(IMAGE, ".png"), 10)
    assert factor == 1
    np.testing.assert_array_equal(image, IMAGE)


def test_png_gives_the_picture_back() -> None:
    np.testing.assert_array_equal(decode_image(encode_png(IMAGE)), IMAGE)
