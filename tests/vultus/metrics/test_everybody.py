"""All comparisons without a list of them: the same as with one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vultus.metrics import Everybody, bootstrap_share, fmr

Faces = tuple[NDArray[np.float32], NDArray[np.int64]]


def _faces(people: int, pictures: int, seed: int) -> Faces:
    """Unit vectors that lie near those of the same person."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), pictures)
    middles = rng.normal(size=(people, 8))
    found = middles[subjects] + 0.7 * rng.normal(size=(len(subjects), 8))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32), subjects


def _listed(faces: Faces) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    embeddings, subjects = faces
    first, second = np.triu_indices(len(subjects), 1)
    keep = subjects[first] != subjects[second]
    first, second = first[keep], second[keep]
    scores = (embeddings @ embeddings.T)[first, second]
    return subjects[first], subjects[second], scores


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_those_of_the_list(seed: int) -> None:
    faces = _faces(9, 4, seed)
    first, second, scores = _listed(faces)
    every = Everybody(*faces)
    assert every.non_mated == len(scores)
    assert every.pairs == 36
    points = np.quantile(scores, [0.5, 0.9, 0.99, 1.0]).astype(np.float32)
    for point in points:
        assert every.counts.fmr(float(point)) == pytest.approx(fmr(scores, float(point)), abs=1e-12)
    drawn = every.resampled(points, replicates=40, seed=seed)
    for place, point in enumerate(points):
        listed = bootstrap_share(scores >= point, first, second, replicates=40, seed=seed)
        np.testing.assert_allclose(drawn[:, place], listed, rtol=0, atol=1e-12)


def test_what_is_accepted_comes_best_first_and_is_of_two_people() -> None:
    faces = _faces(6, 5, 7)
    _, _, scores = _listed(faces)
    limit = float(np.quantile(scores, 0.8))
    first, second, found = Everybody(*faces).accepted(limit)
    assert (first != second).all()
    np.testing.assert_allclose(found, np.sort(scores[scores >= limit])[::-1], atol=1e-6)


def test_the_list_holds_each_comparison_once_or_a_draw_of_them() -> None:
    embeddings, subjects = _faces(8, 6, 4)
    every = Everybody(embeddings, subjects)
    first, second, scores = every.listed(every.non_mated)
    assert len({*zip(first.tolist(), second.tolist(), strict=True)}) == every.non_mated
    assert (subjects[first] != subjects[second]).all()
    np.testing.assert_allclose(scores, (embeddings @ embeddings.T)[first, second], atol=1e-6)
    few = every.listed(every.non_mated // 2, seed=3)
    assert 0.35 * every.non_mated < len(few[2]) < 0.65 * every.non_mated
    assert {*zip(*(side.tolist() for side in few[:2]), strict=True)} < {
        *zip(first.tolist(), second.tolist(), strict=True)
    }
    for one, two in zip(few, every.listed(every.non_mated // 2, seed=3), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_threshold_above_all_accepts_nothing_in_any_replicate() -> None:
    every = Everybody(*_faces(5, 3, 1))
    drawn = every.resampled(np.array([1.5], np.float32), replicates=20, seed=0)
    assert np.nan_to_num(drawn).max() == 0.0


def test_the_table_of_counts_holds_every_score() -> None:
    faces = _faces(7, 3, 2)
    _, _, scores = _listed(faces)
    values, counts = Everybody(*faces).counts.non_mated.table()
    assert counts.sum() == len(scores)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(np.repeat(values, counts), np.sort(scores), atol=1e-6)
