"""What a training is shown: fair draws, mild light, known ranks."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.train.embeddings import augmented
from components.train.pictures import fair_draw
from components.train.presentations import relit


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.integers(1, 50))
def test_a_draw_is_fair_and_keeps_the_order(groups: list[str], limit: int) -> None:
    rows = [{"group": group, "place": place} for place, group in enumerate(groups)]
    drawn = fair_draw(rows, "group", limit, seed=1)
    assert len(drawn) == min(limit, len(rows))
    assert drawn == sorted(drawn, key=lambda row: row["place"])
    counts = {g: sum(row["group"] == g for row in drawn) for g in set(groups)}
    left = {g: groups.count(g) - n for g, n in counts.items()}
    smallest_unfinished = min((counts[g] for g in counts if left[g]), default=None)
    assert smallest_unfinished is None or max(counts.values()) <= smallest_unfinished + 1


def test_light_changes_are_mild_and_alike_at_every_scale() -> None:
    crop = torch.rand(8, 3, 32, 32) * 1.6 - 0.8
    changed = relit(torch.cat([crop, crop], dim=1), np.random.default_rng(0))
    assert changed.abs().max() <= 1
    assert (changed[:, :3] - changed[:, 3:]).abs().max() <= 0.15  # noise alone differs
    mirrored = torch.minimum(
        (changed[:, :3] - crop).abs().amax((1, 2, 3)),
        (changed[:, :3] - crop.flip(3)).abs().amax((1, 2, 3)),
    )
    assert mirrored.max() <= 0.45


def test_an_augmented_chip_is_another_picture_of_the_same_shape() -> None:
    chip = np.random.default_rng(1).integers(0, 255, (112, 112, 3), np.uint8)
    one, two = (augmented(chip, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.shape == chip.shape
    assert one.dtype == np.uint8
    assert not np.array_equal(one, two)
    assert np.array_equal(one, augmented(chip, np.random.default_rng(1)))
