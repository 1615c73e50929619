"""Heads: the formulas of their papers on numbers computed by hand, and what all have in common."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from vultus.networks.distillation import relation, towards
from vultus.networks.heads import HEADS, AdaFace, Head, Softmax, Triplet

MARGINS = [name for name, kind in HEADS.items() if issubclass(kind, Softmax)]
OWN, OTHER = math.cos(math.radians(60)), math.sin(math.radians(60))


def _unit(count: int, dimension: int = 16, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(count, dimension, generator=generator))


def _right_angles(name: str, margin: float) -> Head:
    """Two classes whose centres are at right angles."""
    head = HEADS[name](2, 2, scale=10.0, margin=margin)
    assert isinstance(head, Softmax)
    head.centres.data = torch.eye(2)
    return head


@pytest.mark.parametrize(
    ("name", "margin", "target"),
    [
        ("softmax", 0.5, OWN),
        ("arcface", 0.5, math.cos(math.radians(60) + 0.5)),
        ("cosface", 0.35, OWN - 0.35),
        ("arcface", 1.4 + 0.7, OWN - 2.1 * math.sin(2.1)),  # θ + m beyond π
    ],
)
def test_an_embedding_60_degrees_from_its_own_centre(
    name: str, margin: float, target: float
) -> None:
    """One face; length plays no part: 3 instead of 1."""
    head = _right_angles(name, margin)
    loss = head(3 * torch.tensor([[OWN, OTHER]]), torch.tensor([0]))
    expected = math.log(1 + math.exp(10 * (OTHER - target)))
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)


def test_adaface_moves_its_margin_from_the_angle_to_the_cosine_as_embeddings_grow() -> None:
    """Lengths 1 and 3: mean 2, deviation √2, h 0.333, so ẑ = ∓0.333 / √2."""
    head = _right_angles("adaface", 0.4)
    faces = torch.tensor([[OWN, OTHER], [3 * OWN, 3 * OTHER]])
    loss = head(faces, torch.tensor([0, 0]))
    expected = []
    for sign in (-1, 1):
        quality = sign * 0.333 / (math.sqrt(2) + 1e-3)
        target = math.cos(math.radians(60) - 0.4 * quality) - 0.4 * (1 + quality)
        expected.append(math.log(1 + math.exp(10 * (OTHER - target))))
    assert float(loss.detach()) == pytest.approx(sum(expected) / 2, rel=1e-4)


def test_adaface_follows_slowly_and_not_in_evaluation() -> None:
    head = AdaFace(4, 16)
    head(2 * _unit(8), torch.arange(8) % 4)
    assert float(head.mean) == pytest.approx(2.0)
    head(4 * _unit(8), torch.arange(8) % 4)
    assert float(head.mean) == pytest.approx(2.02)
    head.eval()(50 * _unit(8), torch.arange(8) % 4)
    assert float(head.mean) == pytest.approx(2.02)


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.1, 30))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("name", MARGINS)
def test_without_a_margin_all_are_the_normalised_softmax(
    name: str, seed: int, classes: int, length: float
) -> None:
    torch.manual_seed(seed)
    head = HEADS[name](classes, 16, scale=8.0, margin=0.0)
    assert isinstance(head, Softmax)
    embeddings, labels = _unit(12, seed=seed), torch.arange(12) % classes
    cosines = embeddings @ functional.normalize(head.centres).T
    plain = functional.cross_entropy(8.0 * cosines, labels)
    torch.testing.assert_close(head(length * embeddings, labels), plain, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_gradients_stay_finite_where_the_angle_has_no_slope(name: str, cosine: float) -> None:
    head = HEADS[name](2, 2)
    if isinstance(head, Softmax):
        head.centres.data = torch.eye(2)
    faces = torch.tensor([[cosine, 0.0], [cosine, 0.0], [0.0, cosine]], requires_grad=True)
    head(faces, torch.tensor([0, 0, 1])).backward()
    assert faces.grad is not None
    assert faces.grad.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in head.parameters())


@pytest.mark.parametrize("name", ["arcface", "cosface"])
def test_a_wider_margin_never_lowers_the_loss(name: str) -> None:
    embeddings, labels = _unit(40), torch.arange(40) % 4
    losses = []
    for margin in (0.0, 0.2, 0.4, 0.8):
        head = HEADS[name](4, 16, margin=margin)
        head.start_at(embeddings, labels)
        losses.append(float(head(embeddings, labels).detach()))
    assert losses == sorted(losses)


def _on_a_circle(*degrees: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def _squared(degrees: float) -> float:
    return 2 - 2 * math.cos(math.radians(degrees))


def test_triplet_takes_the_nearest_stranger_beyond_the_mate() -> None:
    """Subject 0 at 0° and 40°, subject 1 at 50°: from 0° the stranger is beyond the mate, from 40°
    it is nearer than the mate, so that the farthest stranger counts, which is the same one."""
    faces, labels = _on_a_circle(0, 40, 50), torch.tensor([0, 0, 1])
    from_first = max(0.0, _squared(40) - _squared(50) + 0.2)
    from_second = max(0.0, _squared(40) - _squared(10) + 0.2)
    loss = Triplet(2, 2)(5 * faces, labels)
    assert float(loss) == pytest.approx((from_first + from_second) / 2, rel=1e-4)


def test_triplet_prefers_semi_hard_to_hard() -> None:
    """From 0° with its mate at 30°: the stranger at −10° is too hard, the one at 35° is taken."""
    faces, labels = _on_a_circle(0, 30, -10, 35), torch.tensor([0, 0, 1, 2])
    from_first = _squared(30) - _squared(35) + 0.2
    from_second = _squared(30) - _squared(40) + 0.2  # from 30° the stranger at −10° is 40° away
    loss = Triplet(3, 2)(faces, labels)
    assert float(loss) == pytest.approx((max(0, from_first) + max(0, from_second)) / 2, rel=1e-4)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 0, 0]])
def test_triplet_without_mates_or_strangers_is_zero_and_can_be_stepped(labels: list[int]) -> None:
    faces = _unit(4).requires_grad_()
    loss = Triplet(4, 16)(faces, torch.tensor(labels))
    loss.backward()
    assert float(loss.detach()) == 0
    assert faces.grad is not None
    assert not faces.grad.any()


@given(st.integers(0, 10_000), st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_a_student_that_says_what_the_teacher_says_has_nothing_to_learn(
    seed: int, count: int
) -> None:
    teacher = _unit(count, seed=seed)
    assert float(towards(3 * teacher, teacher)) == pytest.approx(0, abs=1e-6)
    assert float(relation(3 * teacher, teacher)) == pytest.approx(0, abs=1e-6)
    turned = torch.linalg.qr(torch.randn(16, 16))[0]
    assert float(relation(teacher @ turned, teacher)) == pytest.approx(0, abs=1e-6)
    assert 0 <= float(towards(_unit(count, seed=seed + 1), teacher)) <= 2


def test_distillation_of_a_hand_computed_case() -> None:
    """Student 0° and 90°, teacher 0° and 60°: cosines 0 and ½ between the two faces."""
    student, teacher = _on_a_circle(0, 90), _on_a_circle(0, 60)
    assert float(towards(student, teacher)) == pytest.approx((0 + 1 - OTHER) / 2, rel=1e-5)
    assert float(relation(student, teacher)) == pytest.approx(0.25, rel=1e-5)
