"""The rules of the gate as laws over scores, and as sentences a person can act on."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.promote.comparing import compare
from components.promote.gate import (
    Comparison,
    comparison_reasons,
    coverage_reasons,
    evidence_reasons,
    paired_comparison,
)
from components.promote.params import PromoteParams
from components.promote.trials import Paired, paired_scores
from support.joined import panel, recogniser
from support.pictured import Chip, made_up_chips, pictured_chips
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Evidence
from vultus.metrics import equal_error_rate
from vultus.storage import FolderStore

QUICK = PromoteParams(replicates=60)
REAL, SIMULATED = Evidence.REAL, Evidence.SIMULATED


def test_the_equal_error_rate_of_hand_computed_scores() -> None:
    positive = np.array([True] * 4 + [False] * 4)
    # One mated score below one non-mated: a quarter of each kind is on the wrong side.
    assert equal_error_rate(np.array([9, 8, 7, 3.0, 4, 2, 1, 0]), positive) == pytest.approx(0.25)
    assert equal_error_rate(np.array([9, 8, 7, 6.0, 4, 2, 1, 0]), positive) == 0
    assert equal_error_rate(np.zeros(8), positive) == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 3))
def test_the_equal_error_rate_does_not_see_a_monotonic_change(seed: int, gap: float) -> None:
    scores, positive = _drawn(seed, gap)
    rate = equal_error_rate(scores, positive)
    assert 0 <= rate <= 1
    assert equal_error_rate(np.exp(scores), positive) == pytest.approx(rate, abs=1e-9)
    # Turning the scores round turns the rate round.
    assert equal_error_rate(-scores, positive) == pytest.approx(1 - rate, abs=0.03)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_the_sides_turns_the_interval_round(seed: int) -> None:
    ours, positive = _drawn(seed, 1.5)
    theirs, _ = _drawn(seed + 1, 1.5)
    groups = np.arange(len(positive)) % 12
    one = paired_comparison("EER", ours, theirs, positive, groups, QUICK)
    other = paired_comparison("EER", theirs, ours, positive, groups, QUICK)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert (one.candidate, one.champion) == (other.champion, other.candidate)


def test_a_version_is_never_worse_than_itself() -> None:
    scores, positive = _drawn(1, 1.0)
    groups = np.arange(len(positive)) % 12
    same = paired_comparison("EER", scores, scores, positive, groups, QUICK)
    assert (same.low, same.high) == (0, 0)
    assert list(comparison_reasons([same], QUICK)) == []


def test_a_clear_loss_is_named_with_both_figures_and_the_interval() -> None:
    scores, positive = _drawn(2, 3.0)
    noise = np.random.default_rng(0).normal(size=len(scores))
    groups = np.arange(len(positive)) % 12
    worse = paired_comparison("EER (all)", noise, scores, positive, groups, QUICK)
    (reason,) = comparison_reasons([worse], QUICK)
    assert f"from {worse.champion:.4f} to {worse.candidate:.4f}" in reason
    assert "95% interval" in reason


def test_a_large_rise_over_all_trials_is_refused_on_weaker_evidence() -> None:
    """As seen with 67 real people: p = 0.05, one in 20 equal candidates looks like that."""
    rose = Comparison("EER (all)", 0.0152, 0.0096, -0.001, 0.011, p=0.05)
    (reason,) = comparison_reasons([rose], QUICK)
    assert "rose from 0.0096 to 0.0152" in reason
    assert "max_rise" in reason
    assert list(comparison_reasons([replace(rose, figure="EER (sex=male)")], QUICK)) == []
    assert list(comparison_reasons([replace(rose, candidate=0.0139)], QUICK)) == []
    assert list(comparison_reasons([replace(rose, p=0.2)], QUICK)) == []
    lax = QUICK.model_copy(update={"max_rise": 1.0})
    assert list(comparison_reasons([rose], lax)) == []


def test_a_loss_in_one_slice_is_seen_though_all_trials_look_alike(tmp_path: Path) -> None:
    chips = made_up_chips(subjects=24)
    theirs = _scores_for(chips, gap=5.0)
    ours = theirs.copy()
    hurt = np.array([a.subject in ("s1", "s3", "s5") for a, _ in _pairs(chips)])
    ours[hurt] = np.random.default_rng(5).normal(size=hurt.sum()) * 0.1
    names = ["sex=male" if n % 2 else "sex=female" for n in range(24)]
    both = [
        recogniser(tmp_path / name, chips=chips, scores=scores, slices=sorted(set(names)))
        for name, scores in (("ours", ours), ("theirs", theirs))
    ]
    paired = paired_scores(*both, store=cast(Store, None))
    found = {one.figure: one for one in compare(paired, QUICK)}
    assert set(found) == {"EER (all)", "EER (sex=female)", "EER (sex=male)"}
    rose = [one.figure for one in found.values() if one.candidate > one.champion]
    assert "EER (all)" in rose
    assert len(rose) == 2


def test_trials_are_drawn_by_subject(tmp_path: Path) -> None:
    """Pictures of one subject stay together, whatever order the pairs come in."""
    one = recogniser(tmp_path / "one", chips=made_up_chips(subjects=9, images=4))
    paired = paired_scores(one, one, store=cast(Store, None))
    assert len(np.unique(paired.groups)) == 9
    assert paired.unscored == 0


def test_other_trials_make_the_champion_answer_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    chips = pictured_chips(store, subjects=6, images=3)
    champion = recogniser(tmp_path / "champion")
    candidate = recogniser(tmp_path / "candidate", chips=chips)
    paired = paired_scores(candidate, champion, store)
    assert paired.champion.shape == paired.candidate.shape == (153,)
    # The champion really looked at the pictures: it separates what is easy to separate.
    assert equal_error_rate(paired.champion, paired.positive) < 0.05


def test_leaving_out_the_hard_trials_is_no_way_through(tmp_path: Path) -> None:
    theirs = recogniser(tmp_path / "theirs", gap=2.0)
    scores = _scores_for(made_up_chips(), gap=2.0)
    scores[:5] = np.nan
    ours = recogniser(tmp_path / "ours", scores=scores)
    paired = paired_scores(ours, theirs, store=cast(Store, None))
    assert paired.unscored == 5
    assert "5 test trials" in next(iter(coverage_reasons(paired, 30)))


def test_too_few_trials_are_no_proof() -> None:
    few = Paired(np.zeros(40), np.zeros(40), np.arange(40) < 29, np.zeros(40, np.int64), [[]] * 40)
    (reason,) = coverage_reasons(few, 30)
    assert "29 mated" in reason
    assert compare(few, QUICK) == []


def test_simulated_evidence_never_replaces_real(tmp_path: Path) -> None:
    champion = panel(
        tmp_path / "champion", ("own", 0.0, 1.15, SIMULATED), ("photographed", 1.15, 1e9, REAL)
    )
    for name, members, refused in [
        ("same", [("own", 0.0, 1.15, SIMULATED), ("photographed", 1.15, 1e9, REAL)], False),
        ("wider", [("own", 0.0, 1.0, SIMULATED), ("photographed", 1.0, 1e9, REAL)], False),
        ("all real", [("new", 0.0, 1e9, REAL)], False),
        ("handed on", [("a", 0.0, 2.0, REAL), ("b", 2.0, 1e9, REAL)], False),
        ("own alone", [("own", 0.0, 1e9, SIMULATED)], True),
        ("a bite at the start", [("own", 0.0, 1.6, SIMULATED), ("r", 1.6, 1e9, REAL)], True),
        ("a bite at the end", [("r", 0.0, 5.0, REAL), ("own", 5.0, 1e9, SIMULATED)], True),
        ("a gap", [("r", 0.0, 2.0, REAL), ("s", 2.5, 1e9, REAL)], True),
        ("nobody", [("r", 0.0, 1.15, REAL)], True),
    ]:
        reasons = list(evidence_reasons(panel(tmp_path / name, *members), champion))
        assert bool(reasons) == refused, (name, reasons)
        assert all("real evidence" in reason for reason in reasons)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.1, 4), max_size=4, unique=True),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.floats(0, 4),
)
def test_any_simulated_piece_inside_a_real_room_is_found(
    cuts: list[float], real: list[bool], room: float
) -> None:
    """Wherever the champion has real evidence and the candidate has not, there is a reason."""
    edges = [0.0, *sorted(cuts), 1e9]
    members = [
        _Member(start, end, REAL if real[n] else SIMULATED)
        for n, (start, end) in enumerate(pairwise(edges))
    ]
    champion = _version_of([_Member(1.0, 3.0, REAL)])
    reasons = list(evidence_reasons(_version_of(members), champion))
    lost = any(m.evidence is SIMULATED and m.room_min < 3.0 and m.room_max > 1.0 for m in members)
    assert bool(reasons) == lost


class _Member:
    def __init__(self, room_min: float, room_max: float, evidence: Evidence) -> None:
        self.room_min, self.room_max, self.evidence = room_min, room_max, evidence
        self.name = f"from {room_min}"


def _version_of(members: list[_Member]) -> ModelVersion:
    """The rule reads the transform alone; building files for 60 examples would take a minute."""
    transform = LivenessTransform.model_construct(members=tuple(members))  # type: ignore[arg-type]
    return cast(ModelVersion, SimpleNamespace(transform=transform))


def _drawn(seed: int, gap: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    positive = np.arange(120) % 3 == 0
    return np.random.default_rng(seed).normal(size=120) + gap * positive, positive


def _pairs(chips: list[Chip]) -> list[tuple[Chip, Chip]]:
    return list(combinations(chips, 2))


def _scores_for(chips: list[Chip], gap: float) -> NDArray[np.float64]:
    mated = np.array([a.subject == b.subject for a, b in _pairs(chips)])
    return np.asarray(0.1 * (np.random.default_rng(3).normal(size=len(mated)) + gap * mated))


def test_every_species_is_a_slice_with_all_bona_fide_beside_it(tmp_path: Path) -> None:
    """So that a panel which is blind to one of them has nowhere to hide."""
    store = FolderStore(tmp_path / "store")
    one = panel(tmp_path / "one")
    paired = paired_scores(one, one, store)
    for name in ("print", "replay", "mask"):
        own = np.array([f"species={name}" in names for names in paired.slices])
        assert own[paired.positive].all()
        assert (own & ~paired.positive).sum() == 20
    found = {found.figure for found in compare(paired, PromoteParams(min_slice=20, replicates=50))}
    assert found == {"EER (all)", *(f"EER (species={s})" for s in ("print", "replay", "mask"))}
