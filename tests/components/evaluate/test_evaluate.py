"""The evaluate step on drawn faces: what it writes, where thresholds come from, what it refuses."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from components.evaluate.presentations import PANEL
from support.evaluated import LIVENESS, Bench, Judged
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import Checkpoint
from vultus.contracts.traffic import FEATURE_SCHEMA, SKETCH_LENGTH
from vultus.contracts.words import Verdict
from vultus.errors import NoTrials
from vultus.faces.picture import decode_image
from vultus.metrics import bpcer, fmr
from vultus.networks.load import OWN_MEMBER, encoder_from


def test_recognition_compares_within_a_split_and_never_trains_on_it(
    faces: Bench, judged: Judged
) -> None:
    _, written = judged
    chips = {r["chip_sha256"]: r for r in faces.rows.to_pylist() if not r["species"]}
    for trial in written.scores.to_pylist():
        a, b = chips[trial["a"]], chips[trial["b"]]
        assert a["split"] == b["split"] == trial["split"] != "train"
        assert trial["mated"] == (a["subject"] == b["subject"])
        same = dict(a["attributes"])["sex"] == dict(b["attributes"])["sex"]
        assert trial["slices"] == ([f"sex={dict(a['attributes'])['sex']}"] if same else [])
    per_split = 16 * 15 // 2
    assert written.trials.num_rows == 2 * per_split
    assert written.trials.equals(written.scores.drop_columns("score"))


def test_a_score_is_the_cosine_of_the_checkpoint(faces: Bench, judged: Judged) -> None:
    _, written = judged
    encoder = encoder_from(Checkpoint.open(faces.checkpoint))
    for trial in written.scores.slice(0, 3).to_pylist():
        pair = np.stack([decode_image(faces.store.get(trial[side])) for side in "ab"])
        a, b = encoder.encode(pair)
        assert trial["score"] == pytest.approx(float(a @ b), abs=1e-5)


def test_thresholds_speak_of_validation_and_figures_of_test(judged: Judged) -> None:
    report, written = judged
    scores = written.scores.to_pandas()
    others = scores[(scores.split == "validation") & ~scores.mated].score.to_numpy()
    for row in written.table("thresholds.parquet").to_pylist():
        assert row["fmr"] == pytest.approx(fmr(others, np.float32(row["score"])), abs=1e-12)
    test = scores[scores.split == "test"]
    threshold = np.float32(written.manifest.facts["threshold"])
    figure = written.figure("fnmr_at_fmr_1e-3")
    assert figure is not None
    assert figure.value == pytest.approx(float((test[test.mated].score < threshold).mean()))
    assert figure.n == test.mated.sum()
    eer = written.figure("eer")
    assert eer is not None
    assert eer.low is not None
    assert eer.high is not None
    assert eer.low <= eer.value <= eer.high
    small = written.figure("realised_fmr_1e-3")
    assert small is not None
    assert small.verdict is not Verdict.PASS  # 96 comparisons show no FMR of 1e-3
    assert report.numbers()["eer"] == eer.value
    assert report.summary()["verdict"] == report.verdict.value


@pytest.mark.slow
def test_figures_of_test_do_not_move_thresholds(
    faces: Bench, judged: Judged, tmp_path: Path
) -> None:
    gone = pc.equal(faces.rows["split"], "test")
    crops = faces.without(tmp_path / "crops", gone)
    report, without = faces.evaluate(tmp_path / "without", crops)
    _, whole = judged
    assert without.table("thresholds.parquet").equals(whole.table("thresholds.parquet"))
    assert report.verdict is Verdict.NOT_ENOUGH_DATA
    # What crop could not read is a figure of the whole data version, and there all the same.
    of_test = [figure for figure in without.figures if figure.name != "fta"]
    assert all(figure.value is None and figure.n == 0 for figure in of_test)
    assert "nothing was measured" in (without.path / "report.html").read_text()


@pytest.mark.slow
def test_the_same_evaluation_twice_gives_the_same_bytes(
    faces: Bench, judged: Judged, tmp_path: Path
) -> None:
    _, one = judged
    _, two = faces.evaluate(tmp_path / "two", reference_rows=40, worst=2)
    assert one.manifest.sha256 == two.manifest.sha256
    assert one.manifest.facts["trials_sha256"] == one.manifest.sha256["trials.parquet"]


def test_the_reference_window_is_what_a_server_would_log(judged: Judged) -> None:
    _, written = judged
    rows = written.table("reference_features.parquet")
    assert rows.schema.equals(FEATURE_SCHEMA)
    assert rows.num_rows == 40
    assert set(rows["operation"].to_pylist()) == {"verify"}
    threshold = written.manifest.facts["threshold"]
    for row in rows.to_pylist():
        assert (row["decision"] == "match") == (row["score"] >= np.float32(threshold))
        assert row["margin"] == pytest.approx(row["score"] - threshold, abs=1e-5)
        assert len(row["sketch"]) == SKETCH_LENGTH
        assert row["quality_unified"] == 75
    scores = written.scores.to_pandas()
    mated = set(scores[scores.mated].score)
    assert all(row["score"] in mated for row in rows.to_pylist() if row["decision"] == "match")


def test_a_validation_split_that_sets_no_threshold_stops(faces: Bench, tmp_path: Path) -> None:
    crops = faces.without(tmp_path / "crops", pc.equal(faces.rows["split"], "validation"))
    with pytest.raises(NoTrials, match=r"validation split gives 0 mated and 0 non-mated"):
        faces.evaluate(tmp_path / "out", crops)
    assert not (tmp_path / "out").exists()


def test_the_threshold_of_our_member_comes_from_validation(pad_judged: Judged) -> None:
    _, written = pad_judged
    scores = written.scores.to_pandas()
    own = scores[(scores.member == OWN_MEMBER) & (scores.split == "validation")]
    live = own[own.species.isna()].pad_score.to_numpy()
    threshold = np.float32(written.manifest.facts["member_thresholds"][OWN_MEMBER])
    assert bpcer(live, threshold) <= 0.2
    assert bpcer(live, np.nextafter(threshold, np.float32(2))) > 0.2


@pytest.mark.slow
def test_presentations_of_test_do_not_move_thresholds(
    pad: Bench, pad_judged: Judged, tmp_path: Path
) -> None:
    _, written = pad_judged
    crops = pad.without(tmp_path / "crops", pc.equal(pad.rows["split"], "test"))
    _, without = pad.evaluate(tmp_path / "without", crops, max_bpcer=0.2)
    for fact in ("member_thresholds", "threshold_basis"):
        assert without.manifest.facts[fact] == written.manifest.facts[fact]


def test_pad_figures_are_counts_of_the_test_split(pad_judged: Judged) -> None:
    _, written = pad_judged
    scores = written.scores.to_pandas()
    panel = scores[(scores.member == "panel") & (scores.split == "test")]
    accepted = panel.pad_score >= np.float32(
        written.manifest.facts["member_thresholds"][OWN_MEMBER]
    )
    by_species = accepted.groupby(panel.species).mean()
    apcer, refused = written.figure("apcer"), written.figure("bpcer")
    assert apcer is not None
    assert refused is not None
    assert apcer.value == pytest.approx(by_species.max())
    assert refused.value == pytest.approx((~accepted[panel.species.isna()]).mean())
    for species, share in by_species.items():
        figure = written.figure("apcer", f"species={species}")
        assert figure is not None
        assert figure.value == pytest.approx(share)
    assert written.figure("pad_auc") is not None
    assert written.figure("pad_auc", f"member={OWN_MEMBER}") is not None


@pytest.mark.slow
def test_simulated_attacks_never_pass(pad: Bench, tmp_path: Path) -> None:
    report, written = pad.evaluate(tmp_path / "out", require_apcer=0.999, require_bpcer=0.999)
    verdicts = {f.verdict for f in written.figures if f.name == "apcer"} - {None}
    assert verdicts == {Verdict.NOT_ENOUGH_DATA}
    assert report.verdict is not Verdict.PASS
    assert "simulated" in report.answer


def test_pad_reference_window(pad_judged: Judged) -> None:
    _, written = pad_judged
    rows = written.table("reference_features.parquet").to_pylist()
    assert {row["operation"] for row in rows} == {"liveness"}
    assert {row["decision"] for row in rows} <= {"bona_fide", "attack"}
    assert all(row["score"] is None and 0 <= row["pad_score"] <= 1 for row in rows)
    assert all((row["reason"] == "attack") == (row["decision"] == "attack") for row in rows)


def test_an_accepted_attack_is_no_part_of_the_pad_reference(pad_judged: Judged) -> None:
    """Half of a test split are attacks, of traffic next to none: it would look like drift."""
    _, written = pad_judged
    scores = written.scores.to_pandas()
    panel = scores[(scores.member == PANEL) & (scores.split == "test")]
    bona_fide = set(panel[panel.species.isna()].pad_score)
    rows = written.table("reference_features.parquet").to_pylist()
    accepted = [row["pad_score"] for row in rows if row["decision"] == "bona_fide"]
    assert accepted
    assert set(accepted) <= bona_fide


@pytest.mark.slow
def test_each_picture_is_judged_by_the_member_whose_room_it_is(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, "npm-liveness", **{**LIVENESS, "pad_member": "npm-liveness"})
    _, written = bench.evaluate(tmp_path / "out")
    facts = written.manifest.facts
    assert set(facts["member_thresholds"]) == {OWN_MEMBER}  # the other keeps its published one
    assert facts["evidence"]["npm-liveness"] == "real"
    scores = written.scores.to_pandas()
    table = scores.pivot_table(index="image", columns="member", values="pad_score")
    tight = scores[scores.slices.map(lambda s: "room=tight" in s)].image.unique()
    full = scores[scores.slices.map(lambda s: "room=full" in s)].image.unique()
    assert len(tight) > 0
    assert len(full) > 0
    assert (table.loc[tight, "panel"] == table.loc[tight, OWN_MEMBER]).all()
    assert (table.loc[full, "panel"] == table.loc[full, "npm-liveness"]).all()


@pytest.mark.slow
def test_the_component_writes_its_three_outputs(
    pad: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kfp import dsl

    from components.evaluate.component import evaluate

    monkeypatch.setenv("VULTUS_HOME", str(pad.root))
    page = dsl.HTML(uri=str(tmp_path / "page"))
    metrics = dsl.Metrics(uri=str(tmp_path / "metrics"))
    evaluation = dsl.Artifact(uri=str(tmp_path / "evaluation"))
    evaluate.python_func(
        checkpoint=dsl.Artifact(uri=str(pad.checkpoint)),
        crops=dsl.Artifact(uri=str(pad.crops)),
        evaluation=evaluation,
        metrics=metrics,
        report=page,
        params={"replicates": 60.0, "worst": 0.0},
    )
    written = EvaluationReport.open(tmp_path / "evaluation")
    assert (tmp_path / "page").read_bytes() == (written.path / "report.html").read_bytes()
    assert {"pad_auc", "apcer", "bpcer"} <= set(metrics.metadata)
    assert evaluation.metadata["task"] == "liveness"
    assert b"image/jpeg" not in (tmp_path / "page").read_bytes()  # worst=0: no face in the report
