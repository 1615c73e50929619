"""The convex head: scikit-learn's answer, the same every time, and one module with its trunk."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from vultus.networks.frozen_pad import SIDE, FrozenPad, fit_head
from vultus.networks.lite0 import WIDTH


def lesson(count: int, width: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two overlapping classes, unevenly weighted."""
    rng = np.random.default_rng(5)
    targets = rng.random(count) < 0.3
    features = rng.normal(size=(count, width)) * rng.uniform(0.1, 30, width) + targets[:, None]
    return features, targets, rng.uniform(0.2, 3, count)


@pytest.mark.parametrize("pull", [0.05, 1.5])
def test_it_is_weighted_logistic_regression(pull: float) -> None:
    features, targets, shares = lesson(300)
    *_, (_, head) = fit_head(features, targets, shares, pull)
    scaled = (features - head.mean) / head.deviation
    oracle = LogisticRegression(C=1 / (pull * shares.sum()), tol=1e-10, max_iter=5000)
    oracle.fit(scaled, targets, sample_weight=shares)
    assert head.weight == pytest.approx(oracle.coef_[0], abs=1e-5)
    assert head.bias == pytest.approx(oracle.intercept_[0], abs=1e-5)


def test_the_loss_never_rises_and_the_answer_is_always_the_same() -> None:
    features, targets, shares = lesson(60)
    first, second = (list(fit_head(features, targets, shares, 0.3)) for _ in range(2))
    losses = [loss for loss, _ in first]
    assert losses == sorted(losses, reverse=True)
    assert np.array_equal(first[-1][1].weight, second[-1][1].weight)


def test_a_share_counts_like_repetition() -> None:
    features, targets, _ = lesson(40)
    double = np.where(np.arange(40) < 20, 2.0, 1.0)
    rows = np.repeat(np.arange(40), double.astype(int))
    *_, (_, weighted) = fit_head(features, targets, double, 0.3)
    *_, (_, repeated) = fit_head(features[rows], targets[rows], np.ones(len(rows)), 0.3)
    assert weighted.weight == pytest.approx(repeated.weight, abs=1e-8)


def test_classes_that_can_be_parted_still_have_an_answer() -> None:
    features = np.array([[-1.0], [-1.1], [1.0], [1.2]])
    *_, (_, head) = fit_head(features, features[:, 0] > 0, np.ones(4), 1.5)
    assert np.isfinite(head.weight).all()
    assert (head(features) > 0).tolist() == [False, False, True, True]


def test_the_network_is_trunk_and_head_in_one() -> None:
    network = FrozenPad().eval()
    crops = torch.rand(8, 3, SIDE, SIDE) * 2 - 1
    features = network.trunk(crops).numpy()
    assert features.shape == (8, WIDTH)
    targets = np.arange(8) < 4
    *_, (_, head) = fit_head(features, targets, np.ones(8), 1.5)
    network.wear(head)
    assert network(crops).numpy() == pytest.approx(head(features), abs=1e-4)
