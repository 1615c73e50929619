"""The report's numbers once more, from the raw score files alone: what an auditor would write."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from support.evaluated import Bench, Judged
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import Checkpoint
from vultus.faces.picture import decode_image
from vultus.networks.load import encoder_from

pytestmark = pytest.mark.slow


def _agree(report: EvaluationReport, found: dict[str, float]) -> None:
    for name, value in found.items():
        figure = report.figure(name)
        assert figure is not None, name
        assert figure.value == pytest.approx(value, abs=1e-9), name
        assert figure.low is not None, name
        assert figure.high is not None, name
        assert figure.low - 1e-9 <= value <= figure.high + 1e-9, name


def _recomputed(report: EvaluationReport, fmr: float) -> dict[str, float]:
    """1:1 figures from scores.parquet, and counts.parquet where that lists a draw."""
    rows = report.scores.to_pandas()
    counts = rows[~rows.mated].assign(count=1)
    if "counts.parquet" in report.manifest.sha256:
        counts = report.table("counts.parquet").to_pandas()
    old, new = (
        np.repeat(part.score.to_numpy(), part["count"])
        for part in (counts[counts.split == name] for name in ("validation", "test"))
    )
    same = rows[(rows.split == "test") & rows.mated].score.to_numpy()
    cut = np.nextafter(np.sort(old)[::-1][int(fmr * len(old))], np.float32(9))
    found = {f"fnmr_at_fmr_{fmr:.0e}": (same < cut).mean()}
    found[f"realised_fmr_{fmr:.0e}"] = found["far"] = (new >= cut).mean()
    found["auc"] = np.mean([(o < same).mean() + (o == same).mean() / 2 for o in new])
    found["accuracy"] = np.concatenate([same >= cut, new < cut]).mean()
    found["precision"] = (same >= cut).sum() / ((same >= cut).sum() + (new >= cut).sum())
    points = np.append(np.unique(np.concatenate([same, new])), 9)
    missed = np.array([(same < point).mean() for point in points])
    gap = np.array([(new >= point).mean() for point in points]) - missed
    k = int(np.argmax(gap <= 0))
    share = gap[k - 1] / (gap[k - 1] - gap[k])
    found["eer"] = missed[k - 1] + share * (missed[k] - missed[k - 1])
    return {name.replace("e-0", "e-"): float(value) for name, value in found.items()}


def test_figures_of_recognition_follow_from_the_raw_scores(judged: Judged) -> None:
    _, report = judged
    found = _recomputed(report, 1e-3)
    search, cut = report.table("searches.parquet").to_pandas(), report.manifest.facts["threshold"]
    found["fpir_at_fmr_1e-3"] = (search.other_score >= np.float32(cut)).mean()
    found["fnir_at_fmr_1e-3"] = (search.mate_score < np.float32(cut)).mean()
    found["rank_1_miss"] = (search.mate_rank > 1).mean()
    _agree(report, found)


def test_they_follow_from_the_counts_where_the_raw_scores_are_a_draw(
    faces: Bench, judged: Judged
) -> None:
    """And are those of a report that lists everything, whatever is listed."""
    _, drawn = faces.evaluate(faces.root / "recounted", non_mated=40, fmr=1e-2)
    _, listed = faces.evaluate(faces.root / "recounted-all", fmr=1e-2)
    assert "counts.parquet" in drawn.manifest.sha256
    assert "counts.parquet" not in listed.manifest.sha256
    _agree(drawn, _recomputed(drawn, 1e-2))
    _agree(listed, _recomputed(listed, 1e-2))
    own = pd.DataFrame([one.model_dump() for one in drawn.figures])
    other = pd.DataFrame([one.model_dump() for one in listed.figures])
    # A calibration is fitted on what validation lists.
    parts = [table[table.name != "cllr"].set_index(["name", "slice"]) for table in (own, other)]
    for column in ("value", "low", "high", "n"):
        pd.testing.assert_series_equal(*(part[column] for part in parts), atol=1e-5, rtol=0)


def test_figures_of_the_panel_follow_from_the_raw_scores(pad_judged: Judged) -> None:
    _, report = pad_judged
    rows = report.scores.to_pandas()
    (member,) = set(rows.member) - {"panel"}
    old, rows = rows[rows.split == "validation"], rows[(rows.split == "test")]
    rows, cut = rows[rows.member == "panel"], report.manifest.facts["member_thresholds"][member]
    live = rows[rows.species.isna()].pad_score.to_numpy()
    attacks = [part.pad_score.to_numpy() for _, part in rows.groupby("species")]
    used = old[(old.member == member) & old.species.isna()].pad_score
    assert np.float32(cut) in set(used)  # one of validation's own scores set it
    found = {"apcer": max((a >= np.float32(cut)).mean() for a in attacks)}
    found["bpcer"] = (live < np.float32(cut)).mean()
    shown = np.concatenate(attacks)
    found["pad_auc"] = np.mean([(a < live).mean() + (a == live).mean() / 2 for a in shown])
    for share in (5, 10):
        points = np.append(np.unique(rows.pad_score), 9)
        strict = [p for p in points if max((a >= p).mean() for a in attacks) <= share / 100]
        found[f"bpcer_at_apcer_{share}"] = (live < strict[0]).mean()
    _agree(report, found)


def test_searches_are_the_comparisons_of_probe_and_gallery(faces: Bench, judged: Judged) -> None:
    """Every search again, one cosine at a time, from the chips."""
    _, report = judged
    test = {
        row["chip_sha256"]: row["subject"]
        for row in faces.rows.to_pylist()
        if row["split"] == "test" and not row["species"]
    }
    encoder = encoder_from(Checkpoint.open(faces.checkpoint))
    seen = {chip: encoder.encode(decode_image(faces.store.get(chip))[None])[0] for chip in test}
    searches = report.table("searches.parquet").to_pylist()
    probes = {search["probe"] for search in searches}
    gallery = {subject: chip for chip, subject in test.items() if chip not in probes}
    assert len(searches) == 12  # four people of four pictures: one reference and three probes each
    assert {search["gallery"] for search in searches} == {len(gallery)} == {4}
    for search in searches:
        found = {s: float(seen[search["probe"]] @ seen[chip]) for s, chip in gallery.items()}
        mate = found.pop(search["subject"])
        assert search["subject"] == test[search["probe"]]
        assert search["mate_score"] == pytest.approx(mate, abs=1e-5)
        assert search["other_score"] == pytest.approx(max(found.values()), abs=1e-5)
        assert search["mate_rank"] == 1 + sum(value >= mate for value in found.values())


def test_smaller_galleries_are_counted_one_by_one(faces: Bench, judged: Judged) -> None:
    """Every gallery of two and of three of the four people, every probe, from the chips."""
    _, report = judged
    encoder = encoder_from(Checkpoint.open(faces.checkpoint))
    shown = [r for r in faces.rows.to_pylist() if r["split"] == "test" and not r["species"]]
    chips = np.stack([decode_image(faces.store.get(row["chip_sha256"])) for row in shown])
    vectors, owners = encoder.encode(chips), np.array([row["subject"] for row in shown])
    searched = set(report.table("searches.parquet")["probe"].to_pylist())
    probes = np.array([row["chip_sha256"] in searched for row in shown])
    known, points = owners[~probes], report.table("thresholds.parquet").to_pandas()
    for fmr in (1e-2, 1e-3):
        cut = points[points.fmr <= fmr].score.min()
        for size in (2, 3):
            false, lost = [], []
            for row, owner in zip(
                vectors[probes] @ vectors[~probes].T, owners[probes], strict=True
            ):
                mate, others = row[known == owner][0], row[known != owner]
                false.append(np.mean([max(g) >= cut for g in combinations(others, size)]))
                beside = [max(g) < mate for g in combinations(others, size - 1)]
                lost.append(1 - np.mean(beside) * (mate >= cut))
            for name, errors in (("fpir", false), ("fnir_rank_1", lost)):
                figure = report.figure(
                    f"{name}_at_fmr_{fmr:.0e}".replace("e-0", "e-"), f"gallery={size}"
                )
                assert figure is not None
                assert figure.value == pytest.approx(np.mean(errors), abs=1e-9)
                assert figure.low is not None
                assert figure.high is not None
                assert figure.low <= figure.value <= figure.high
    none = report.figure("fpir_at_fmr_1e-2", "gallery=100")
    assert none is not None
    assert (none.value, none.n) == (None, 0)
    assert "101 people" in none.method
