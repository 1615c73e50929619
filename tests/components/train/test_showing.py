"""The sheet shows what training does: every change of both recipes, alone and with the others."""

import numpy as np
import pytest

from components.train.augmentation import augmented
from components.train.params import ChipAugment, PadAugment
from components.train.showing import shown_chips, shown_crops
from vultus.contracts.arrays import RgbImage


def noise(count: int, side: int) -> list[RgbImage]:
    rng = np.random.default_rng(3)
    coarse = rng.integers(60, 200, (count, 8, 8, 3), np.uint8)
    return [np.kron(one, np.ones((side // 8, side // 8, 1), np.uint8)) for one in coarse]


def test_each_change_of_chips_is_shown_alone_and_changes_something() -> None:
    chips = noise(6, 112)
    lines = list(shown_chips(chips))
    assert len(lines) == len(ChipAugment.model_fields) + 2
    assert all(np.array_equal(a, b) for a, b in zip(lines[0][1], chips, strict=True))
    for said, made in lines[1:]:
        assert [one.shape for one in made] == [(112, 112, 3)] * 6
        assert not all(np.array_equal(a, b) for a, b in zip(made, chips, strict=True)), said
    mirrored = next(made for said, made in lines if said.startswith("Mirrored"))
    assert all(np.array_equal(a[:, ::-1], b) for a, b in zip(chips, mirrored, strict=True))
    whole = [augmented(c, ChipAugment(), np.random.default_rng(n)) for n, c in enumerate(chips)]
    assert all(np.array_equal(a, b) for a, b in zip(lines[-1][1], whole, strict=True))


def test_what_is_off_is_said_to_be_off() -> None:
    said = [caption for caption, _ in shown_chips(noise(1, 112), ChipAugment(rotation_deg=7))]
    assert any("7°" in caption and "Off" not in caption for caption in said)
    assert any("block" in caption and "Off unless" in caption for caption in said)


def test_each_change_of_crops_is_shown_and_stays_a_trace() -> None:
    contexts = noise(4, 384)
    lines = list(shown_crops(contexts))
    assert len(lines) == len(PadAugment.model_fields) + 2
    before = np.stack(lines[0][1]).astype(float)
    for said, made in lines[1:-1]:
        after = np.stack(made).astype(float)
        assert after.shape == (4, 224, 224, 3)
        if said.startswith("Mirrored"):
            assert np.array_equal(after, before[:, :, ::-1])
        else:
            assert 0 < np.abs(after - before).mean() < 20, said


@pytest.mark.parametrize("shown", [shown_chips, shown_crops])
def test_the_same_pictures_give_the_same_sheet(shown: object) -> None:
    assert callable(shown)
    first, again = (list(shown(noise(2, 112))) for _ in range(2))
    for (_, one), (_, other) in zip(first, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
