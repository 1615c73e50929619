"""Gradient attacks on networks whose best answer is known."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vultus.attacks.gradient import PixelRange, fgsm, patch, pgd

PIXELS = PixelRange(-1.0, 1.0)


def picture(seed: int, count: int = 2) -> Tensor:
    """Random pictures of 8 bits, in the range of a network."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.randint(0, 256, (count, 3, 8, 8), generator=generator).float()
    return levels * PIXELS.level + PIXELS.black


def direction(seed: int) -> Tensor:
    return torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.integers(1, 30), st.booleans())
def test_no_pixel_moves_further_than_it_may(seed: int, levels: int, many: bool) -> None:
    inputs, weights = picture(seed), direction(seed + 1)

    def objective(x: Tensor) -> Tensor:
        return torch.tanh((x * weights).sum((1, 2, 3)) / 50)

    changed = (
        pgd(objective, inputs, levels, PIXELS, steps=4)
        if many
        else fgsm(objective, inputs, levels, PIXELS)
    )
    assert (changed - inputs).abs().max() <= (levels + 0.01) * PIXELS.level
    assert PIXELS.black - 1e-5 <= changed.min()
    assert changed.max() <= PIXELS.white + 1e-5
    grey = (changed - PIXELS.black) / PIXELS.level
    assert torch.allclose(grey, grey.round(), atol=1e-3)


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_a_linear_network_is_moved_as_far_as_can_be(attack: str) -> None:
    inputs, weights = picture(3) * 0.5, direction(4)
    inputs = PIXELS.rounded(inputs)

    def objective(x: Tensor) -> Tensor:
        return (x * weights).sum((1, 2, 3))

    best = inputs + 6 * PIXELS.level * weights.sign()
    changed = (
        fgsm(objective, inputs, 6, PIXELS)
        if attack == "fgsm"
        else pgd(objective, inputs, 6, PIXELS, steps=10)
    )
    assert torch.allclose(changed, best, atol=1.1 * PIXELS.level if attack == "pgd" else 1e-5)


def test_many_steps_climb_where_one_overshoots() -> None:
    inputs = torch.zeros(1, 3, 8, 8)
    target = torch.full((1, 3, 8, 8), 2 * PIXELS.level)

    def objective(x: Tensor) -> Tensor:
        return -(x - target).square().sum((1, 2, 3))

    once = fgsm(objective, PIXELS.rounded(inputs), 20, PIXELS)
    often = pgd(objective, PIXELS.rounded(inputs), 20, PIXELS, steps=25)
    assert objective(often) > objective(once)


def test_a_sticker_changes_nothing_outside_it() -> None:
    inputs, weights = picture(5), direction(6)
    where = torch.zeros(8, 8, dtype=torch.bool)
    where[2:4, 1:7] = True

    def objective(x: Tensor) -> Tensor:
        return (x * weights).sum((1, 2, 3))

    worn = patch(objective, inputs, where, PIXELS, steps=30)
    assert torch.allclose(worn[:, :, ~where], inputs[:, :, ~where], atol=1e-5)
    assert (objective(worn) > objective(inputs)).all()
    # The best sticker is black where the weight is negative, white where it is positive.
    best = torch.where(weights > 0, PIXELS.white, PIXELS.black)[:, where]
    assert (worn[:, :, where] - best).abs().mean() < 0.1
