"""Planted label noise is found, and only that; nothing is found where nothing is wrong."""

import numpy as np
import pytest

from support.rows import crop_row, many_rows, table_of
from vultus.contracts.arrays import Embeddings
from vultus.dataset.census import take_census
from vultus.dataset.noise import judge_noise, noise_sample

FAR = 5.0


def cloud(
    people: int, each: int, seed: int = 0, spread: float = 0.35
) -> tuple[np.ndarray, Embeddings]:
    """Subject codes and unit embeddings [people * each, 64], each person about a centre."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 64))
    codes = np.repeat(np.arange(people, dtype=np.int32), each)
    points = centres[codes] + spread * rng.normal(size=(len(codes), 64))
    return codes, unit(points)


def unit(points: np.ndarray) -> Embeddings:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


def rows(codes: np.ndarray) -> np.ndarray:
    return np.arange(len(codes), dtype=np.int64) * 10  # row numbers are no places


def test_clean_labels_raise_no_suspicion() -> None:
    codes, points = cloud(20, 8)
    noise = judge_noise(rows(codes), codes, points, FAR)
    assert (noise.strays, noise.twins) == ((), ())
    assert noise.separable
    assert (noise.pictures, noise.subjects) == (160, 20)


def test_a_mislabelled_picture_is_found_with_the_subject_it_shows() -> None:
    codes, points = cloud(20, 8)
    points[3] = points[90]  # the fourth picture of subject 0 shows subject 11
    (stray,) = judge_noise(rows(codes), codes, points, FAR).strays
    assert stray.row == 30
    assert codes[stray.typical // 10] == 0
    assert stray.nearer is not None
    assert codes[stray.nearer // 10] == 11
    assert stray.similarity < 0.5 < stray.usual


def test_a_picture_of_nobody_is_far_and_near_to_none() -> None:
    codes, points = cloud(20, 8)
    points[17] = unit(np.random.default_rng(9).normal(size=(1, 64)))[0]
    (stray,) = judge_noise(rows(codes), codes, points, FAR).strays
    assert (stray.row, stray.nearer) == (170, None)


def test_one_person_under_two_names_is_a_pair() -> None:
    codes, points = cloud(20, 8)
    split = codes.copy()
    split[4:8] = 20
    (pair,) = judge_noise(rows(codes), split, points, FAR).twins
    assert {split[pair.first // 10], split[pair.second // 10]} == {0, 20}


def test_people_that_cannot_be_told_apart_are_not_judged_as_pairs() -> None:
    codes, _ = cloud(6, 6)
    points = unit(np.random.default_rng(1).normal(size=(36, 64)) * 0.1 + 1)
    noise = judge_noise(rows(codes), codes, points, FAR)
    assert not noise.separable
    assert noise.twins == ()


def test_the_sample_is_the_same_each_time_and_never_too_long() -> None:
    census = take_census(many_rows(2_000, 7))
    sample = noise_sample(census, 300)
    assert 250 < len(sample) <= 300
    assert (sample == noise_sample(census, 300)).all()
    assert (np.diff(sample) > 0).all()
    counts = np.bincount(census.labels["subject"].codes[sample])
    assert counts[counts > 0].min() >= 4


@pytest.mark.parametrize(
    "change", [{"simulated": True}, {"presentation": "attack", "species": "print"}]
)
def test_only_pictures_as_captured_are_sampled(change: dict[str, object]) -> None:
    table = [crop_row(0, "a"), crop_row(1, "a"), crop_row(2, "a", **change), crop_row(3, "lone")]
    assert noise_sample(take_census([table_of(table)]), 100).tolist() == [0, 1]
