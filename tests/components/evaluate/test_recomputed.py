"""The report's numbers once more, from the raw score files alone: what an auditor would write."""

from pathlib import Path

import numpy as np
import pytest

from components.evaluate import EvaluateParams, evaluate_model
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.faces.picture import decode_image
from vultus.networks.load import encoder_from
from vultus.storage import FolderStore


def _evaluated(root: Path, **train: object) -> EvaluationReport:
    store = FolderStore(root / "store")
    crops = make_crops(root / "crops", store, subjects=12)
    train_model(
        crops,
        root / "checkpoint",
        TrainParams.model_validate(train),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=weights_folder(*(["sface"] if train["task"] == "recognition" else [])),
    )
    params = EvaluateParams(replicates=60, worst=0)
    evaluate_model(root / "checkpoint", crops, root / "evaluation", params, store=store)
    return EvaluationReport.open(root / "evaluation")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> EvaluationReport:
    return _evaluated(tmp_path_factory.mktemp("faces"), task="recognition", epochs=0)


@pytest.fixture(scope="module")
def pad(tmp_path_factory: pytest.TempPathFactory) -> EvaluationReport:
    root = tmp_path_factory.mktemp("pad")
    return _evaluated(root, task="liveness", epochs=1, views=1, pad_side=32, pad_member="own")


def _agree(report: EvaluationReport, found: dict[str, float]) -> None:
    for name, value in found.items():
        figure = report.figure(name)
        assert figure is not None, name
        assert figure.value == pytest.approx(value, abs=1e-9), name
        assert figure.low is not None, name
        assert figure.high is not None, name
        assert figure.low - 1e-9 <= value <= figure.high + 1e-9, name


def test_figures_of_recognition_follow_from_the_raw_scores(faces: EvaluationReport) -> None:
    rows = faces.table("scores.parquet").to_pandas()
    score, mated, test = rows.score.to_numpy(), rows.mated.to_numpy(), rows.split == "test"
    steps = np.sort(score[~test & ~mated])[::-1]
    cut = np.nextafter(steps[int(1e-3 * len(steps))], np.float32(9))  # fewer than 1 in 1,000
    same, other = score[test & mated], score[test & ~mated]
    found = {"fnmr_at_fmr_1e-3": (same < cut).mean(), "realised_fmr_1e-3": (other >= cut).mean()}
    found["auc"] = np.mean([(o < same).mean() + (o == same).mean() / 2 for o in other])
    found["accuracy"] = ((score >= cut) == mated)[test].mean()
    found["precision"] = mated[test & (score >= cut)].mean()
    search = faces.table("searches.parquet").to_pandas()
    found["fpir_at_fmr_1e-3"] = (search.other_score >= cut).mean()
    found["fnir_at_fmr_1e-3"] = (search.mate_score < cut).mean()
    found["rank_1_miss"] = (search.mate_rank > 1).mean()
    points = np.append(np.unique(score[test]), 9)
    missed = np.array([(same < point).mean() for point in points])
    gap = np.array([(other >= point).mean() for point in points]) - missed
    k = int(np.argmax(gap <= 0))
    share = gap[k - 1] / (gap[k - 1] - gap[k])
    found["eer"] = missed[k - 1] + share * (missed[k] - missed[k - 1])
    _agree(faces, found)


def test_figures_of_the_panel_follow_from_the_raw_scores(pad: EvaluationReport) -> None:
    rows = pad.table("scores.parquet").to_pandas()
    (member,) = set(rows.member) - {"panel"}
    old, rows = rows[rows.split == "validation"], rows[(rows.split == "test")]
    rows, cut = rows[rows.member == "panel"], pad.manifest.facts["member_thresholds"][member]
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
    _agree(pad, found)


def test_searches_are_the_comparisons_of_probe_and_gallery(faces: EvaluationReport) -> None:
    """Every search again, one cosine at a time, from the chips."""
    root = faces.path.parent
    store, crops = FolderStore(root / "store"), FaceCrops.open(root / "crops").crops
    test = {
        row["chip_sha256"]: row["subject"]
        for row in crops.to_pylist()
        if row["split"] == "test" and not row["species"]
    }
    encoder = encoder_from(Checkpoint.open(root / "checkpoint"))
    seen = {chip: encoder.encode(decode_image(store.get(chip))[None])[0] for chip in test}
    searches = faces.table("searches.parquet").to_pylist()
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
