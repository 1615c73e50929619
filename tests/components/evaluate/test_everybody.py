"""More comparisons than the raw score file lists: what is counted over all, and found again."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.evaluate import EvaluateParams
from components.evaluate.everybody import EveryNegative, realised_figure
from components.evaluate.figures import rate_figure
from components.evaluate.operating import Negatives
from components.promote.reckoning import reckoning_reasons
from support.evaluated import Bench, Judged
from vultus.contracts.artifact import write_table
from vultus.contracts.evaluation import COMPARISON_COUNTS, EvaluationReport
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import RecognitionTransform
from vultus.metrics import Everybody

pytestmark = pytest.mark.slow

LISTED, ALL = 40, 96
"""Of four people with four pictures each: 16 × 15 / 2 comparisons, 24 of them mated."""


@pytest.fixture(scope="module")
def drawn(faces: Bench) -> EvaluationReport:
    return faces.evaluate(faces.root / "drawn", non_mated=LISTED)[1]


def version(report: EvaluationReport, folder: Path, counts: pa.Table | None = None) -> ModelVersion:
    """The evaluation as it is signed, with other counts where they are given."""

    def fill(place: Path) -> None:
        for name in report.manifest.sha256:
            (place / name).write_bytes((report.path / name).read_bytes())
        if counts is not None:
            write_table(counts, COMPARISON_COUNTS, place / "counts.parquet")
        transform = RecognitionTransform(dimension=128).model_dump_json()
        (place / "transform.json").write_text(transform)

    return ModelVersion.create(folder, fill, made_by="test", facts={"task": "recognition"})


def test_thresholds_and_realised_fmr_follow_from_the_counts(drawn: EvaluationReport) -> None:
    counts = drawn.table("counts.parquet").to_pandas()
    points = drawn.table("thresholds.parquet").to_pandas()
    old, new = (counts[counts.split == name] for name in ("validation", "test"))
    assert old["count"].sum() == new["count"].sum() == ALL
    for point in points.itertuples():
        share = old[old.score >= point.score]["count"].sum() / ALL
        assert point.fmr == pytest.approx(share, abs=1e-12)
    cut = points[points.fmr <= 1e-2].score.min()
    figure = drawn.figure("realised_fmr_1e-2")
    assert figure is not None
    assert figure.n == ALL
    assert figure.value == pytest.approx(new[new.score >= cut]["count"].sum() / ALL, abs=1e-12)
    rows = drawn.scores.to_pandas()
    missed = rows[(rows.split == "test") & rows.mated].score < cut
    figure = drawn.figure("fnmr_at_fmr_1e-2")
    assert figure is not None
    assert figure.value == pytest.approx(missed.mean(), abs=1e-12)
    assert f"{ALL:,} in test" in (drawn.path / "report.html").read_text()


def test_what_is_listed_is_a_part_of_what_is_counted(
    judged: Judged, drawn: EvaluationReport
) -> None:
    rows = drawn.scores.to_pandas()
    for split in ("validation", "test"):
        assert (~rows[rows.split == split].mated).sum() == LISTED
    _, whole = judged
    assert "counts.parquet" not in whole.manifest.sha256
    every = whole.scores.to_pandas()
    others = every[(every.split == "test") & ~every.mated].score.to_numpy()
    counts = drawn.table("counts.parquet").to_pandas()
    found = counts[counts.split == "test"]
    again = np.repeat(found.score.to_numpy(), found["count"].to_numpy())
    np.testing.assert_allclose(again, np.sort(others), atol=1e-6)


def test_the_gate_reckons_with_the_counts(drawn: EvaluationReport, tmp_path: Path) -> None:
    assert list(reckoning_reasons(version(drawn, tmp_path / "honest"))) == []


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_gate_refuses_counts_of_other_comparisons(
    drawn: EvaluationReport, tmp_path: Path, split: str
) -> None:
    table = drawn.table("counts.parquet").to_pandas()
    table["score"] -= np.where(table.split == split, 0.2, 0).astype(np.float32)
    other = pa.Table.from_pandas(table, schema=COMPARISON_COUNTS, preserve_index=False)
    reasons = list(reckoning_reasons(version(drawn, tmp_path / "other", other)))
    assert any("the counts are of another model" in reason for reason in reasons), reasons


def test_the_gate_refuses_a_realised_fmr_that_the_counts_do_not_give(
    drawn: EvaluationReport, tmp_path: Path
) -> None:
    """A hundred more comparisons that nobody made, all refused or all accepted."""
    table = drawn.table("counts.parquet").to_pandas()
    own = table.index[table.split == "test"]
    figure = drawn.figure("realised_fmr_1e-2")
    assert figure is not None
    table.loc[own[0] if figure.value else own[-1], "count"] += 100
    if not figure.value:
        table.loc[own[-1], "score"] = np.float32(1)
    other = pa.Table.from_pandas(table, schema=COMPARISON_COUNTS, preserve_index=False)
    reasons = list(reckoning_reasons(version(drawn, tmp_path / "more", other)))
    assert any("its realised_fmr_1e-2 is signed as" in reason for reason in reasons), reasons


def _negatives(seed: int) -> tuple[Negatives, Everybody]:
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(8), 3)
    faces = rng.normal(size=(8, 6))[subjects] + 0.8 * rng.normal(size=(24, 6))
    faces = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    first, second = np.triu_indices(24, 1)
    other = subjects[first] != subjects[second]
    scores = (faces @ faces.T)[first, second][other]
    listed = Negatives(scores, subjects[first][other], subjects[second][other])
    return listed, Everybody(faces, subjects)


@pytest.mark.parametrize("seed", range(3))
def test_counted_negatives_are_the_listed_ones(seed: int) -> None:
    params = EvaluateParams(replicates=60, seed=seed)
    listed, every = _negatives(seed)
    counted = EveryNegative(every)
    points = listed.points()
    np.testing.assert_allclose(np.sort(counted.points()), np.sort(points), atol=1e-6)
    np.testing.assert_allclose(counted.rates(points), listed.rates(points), atol=1e-12)
    np.testing.assert_allclose(
        counted.bounds(points, params), listed.bounds(points, params), atol=1e-9
    )


def test_a_realised_fmr_is_the_one_of_the_list() -> None:
    params = EvaluateParams(replicates=60)
    listed, every = _negatives(5)
    cut = float(np.quantile(listed.scores, 0.97))
    errors = listed.scores >= np.float32(cut)
    one = rate_figure("realised_fmr_1e-2", errors, listed.first, listed.second, params)
    two = realised_figure(every, cut, params, name="realised_fmr_1e-2", method="", at_most=0.01)
    assert two.n == one.n
    for end in ("value", "low", "high"):
        assert getattr(two, end) == pytest.approx(getattr(one, end), abs=1e-9)
    assert two.verdict is not None
