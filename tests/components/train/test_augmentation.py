"""Augmented pictures: laws of both recipes, and what the PAD recipe must not contain."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.train.augmentation import augmented, relit
from components.train.params import ChipAugment, PadAugment

NOTHING = dict.fromkeys(ChipAugment.model_fields, 0.0)
EVERYTHING = ChipAugment(rotation_deg=20, occlusion=1, shade=0.6, temperature=0.2, blur=1, jpeg=1)
STEADY = PadAugment(flip=0, gain=0, offset=0, tint=0, noise=0)


def chip(seed: int = 0, side: int = 112) -> np.ndarray:
    """A smooth picture with an edge, uint8 RGB."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 215, (7, 7, 3), np.uint8)
    image = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    image[:, side // 2] = 255
    return image


def one(seed: int = 3, **strength: float) -> np.ndarray:
    """A chip changed in this one way."""
    return augmented(chip(), ChipAugment(**NOTHING | strength), np.random.default_rng(seed))


@given(st.integers(0, 2**32), st.sampled_from([8, 31, 112]))
@settings(max_examples=25, deadline=None)
def test_shape_and_type_stay_and_a_seed_says_all(seed: int, side: int) -> None:
    image = chip(seed, side)
    before = image.copy()
    for strength in (ChipAugment(), EVERYTHING):
        made, again = (augmented(image, strength, np.random.default_rng(seed)) for _ in range(2))
        assert made.shape == image.shape
        assert made.dtype == np.uint8
        assert np.array_equal(made, again)
    assert np.array_equal(image, before)


def test_another_view_is_another_picture() -> None:
    views = [augmented(chip(), ChipAugment(), np.random.default_rng([0, 5, v])) for v in (1, 2)]
    assert not np.array_equal(*views)


def test_without_strength_nothing_changes() -> None:
    assert np.array_equal(one(), chip())


def test_each_change_does_what_its_name_says() -> None:
    plain = chip().astype(float)
    assert np.array_equal(one(flip=1), chip()[:, ::-1])
    assert np.abs(one(rotation_deg=20)[56, 56] - plain[56, 56]).max() <= 120
    assert (one(rotation_deg=20)[0, 0] == 0).all() or (one(rotation_deg=20)[0, -1] == 0).all()
    changed = (one(occlusion=1) != chip()).any(axis=2).mean()
    assert 0.15**2 * 0.8 <= changed <= 0.4**2
    warm = one(temperature=0.3).astype(float).mean(axis=(0, 1)) / plain.mean(axis=(0, 1))
    assert (warm[0] - 1) * (warm[2] - 1) < 0
    assert warm[1] == pytest.approx(1, abs=0.01)
    ratio = (one(shade=0.9) + 1.0) / (plain + 1.0)
    corners = ratio[[0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=1)
    assert corners.max() == pytest.approx(1, abs=0.15)
    assert corners.max() - corners.min() > 0.05
    sharp, soft = (np.abs(np.diff(i.astype(float), axis=1)).max() for i in (chip(), one(blur=1)))
    assert soft < 0.8 * sharp
    assert 0 < np.abs(one(jpeg=1) - plain).mean() < 12
    assert 0 < np.abs(one(noise=5) - plain).mean() < 6


def test_the_pad_recipe_has_no_word_for_what_destroys_the_cue() -> None:
    assert set(PadAugment.model_fields) == {"flip", "gain", "offset", "tint", "noise"}
    with pytest.raises(ValidationError):
        PadAugment.model_validate({"blur": 0.1})
    with pytest.raises(ValidationError):
        PadAugment(tint=0.5)


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_pad_recipe_keeps_fine_structure(seed: int) -> None:
    """A screen's grid of two pixels keeps its contrast but for exposure, tint and noise."""
    grid = torch.zeros(4, 3, 32, 32)
    grid[..., ::2] = 0.3
    made = relit(grid, PadAugment(), np.random.default_rng(seed))
    assert made.shape == grid.shape
    assert made.abs().max() <= 1
    contrast = (made[..., ::2] - made[..., 1::2]).abs().mean((1, 2, 3))
    assert ((contrast > 0.24) & (contrast < 0.36)).all()
    assert torch.equal(made, relit(grid, PadAugment(), np.random.default_rng(seed)))


def test_without_strength_pad_crops_stay() -> None:
    crops = torch.rand(4, 6, 16, 16) * 1.8 - 0.9
    assert torch.allclose(relit(crops, STEADY, np.random.default_rng(0)), crops, atol=1e-6)


def test_relit_crops_are_new_and_keep_their_layout() -> None:
    crops = (torch.rand(4, 6, 16, 16) * 1.8 - 0.9).contiguous(memory_format=torch.channels_last)
    before = crops.clone()
    made = relit(crops, PadAugment(flip=1), np.random.default_rng(0))
    assert torch.equal(crops, before)
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert (made - crops.flip(3)).abs().mean() < (made - crops).abs().mean()


def test_light_changes_are_mild_and_alike_at_every_scale() -> None:
    crop = torch.rand(8, 3, 32, 32) * 1.6 - 0.8
    both = torch.cat([crop, crop], dim=1)
    changed = relit(both, PadAugment(), np.random.default_rng(0))
    assert (changed[:, :3] - changed[:, 3:]).abs().max() <= 0.15  # noise alone differs
    mirrored = torch.minimum(
        (changed[:, :3] - crop).abs().amax((1, 2, 3)),
        (changed[:, :3] - crop.flip(3)).abs().amax((1, 2, 3)),
    )
    assert mirrored.max() <= 0.45
