"""Models side by side: the same trials, hand-counted accuracy, int8 forms judged and said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from components.evaluate import EvaluateParams
from components.evaluate.accuracy import accepted_of, accuracy
from components.evaluate.calibration import calibration_of
from components.evaluate.comparisons import Comparisons
from components.evaluate.contenders import Contender, exported, trained
from components.evaluate.contest import Standing, compare
from components.evaluate.cost import with_int8
from components.evaluate.report_contest import contest_blocks, is_worse
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from support.versions import pad_model, recognition_model
from vultus.contracts.evaluation import Figure
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint, OnnxModel
from vultus.contracts.words import Evidence, Split, Task
from vultus.errors import BadParameter, WeightsUnavailable
from vultus.inference.int8 import int8_file, quantise
from vultus.networks.provenance import Provenance
from vultus.reports import Table, to_html
from vultus.storage import FolderStore

PARAMS = EvaluateParams(replicates=60, worst=0, condition_faces=0)
OURS = Provenance(architecture="colours", licence="Apache-2.0", training_data="none")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore(tmp_path_factory.mktemp("contest") / "store")


@pytest.fixture(scope="module")
def crops(store: FolderStore, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = make_crops(tmp_path_factory.mktemp("contest") / "crops", store, subjects=12)
    return FaceCrops.open(folder).crops


def _embedder(folder: Path, name: str, seed: int) -> Contender:
    return exported(name, OnnxModel.open(recognition_model(folder / name, seed=seed)), OURS)


def _scores(scores: list[float], mated: list[bool], split: Split) -> Comparisons:
    """Trials of one picture each, a subject a trial; mated ones compare a subject with itself."""
    count = len(scores)
    first = np.arange(count)
    second = np.where(mated, first, (first + 1) % count)
    return Comparisons(
        split,
        [],
        np.zeros((count, 2), np.float32),
        first,
        first,
        second,
        np.array(scores, np.float32),
        [],
    )


def test_accuracy_counts_both_kinds_alike_at_the_threshold_of_validation() -> None:
    """Threshold between 0.4 and 0.6; of 2 mated 1 is right, of 4 non-mated 3: (1/2 + 3/4) / 2."""
    validation = _scores([0.6, 0.7, 0.4, 0.1], [True, True, False, False], Split.VALIDATION)
    test = _scores(
        [0.9, 0.2, 0.1, 0.3, 0.5, 0.8], [True, True, False, False, False, False], Split.TEST
    )
    found = accuracy(validation, test, PARAMS)
    assert found.value == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert "0.6" in found.method
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def test_tar_is_what_fnmr_leaves_and_its_interval_turned() -> None:
    missed = Figure(name="fnmr_at_fmr_1e-3", value=0.1, low=0.04, high=0.3, n=50)
    tar = accepted_of(missed, "tar_at_fmr_1e-3")
    assert (tar.value, tar.low, tar.high) == pytest.approx((0.9, 0.7, 0.96))
    nothing = accepted_of(Figure(name="f", value=None, n=0), "tar")
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)


@pytest.mark.parametrize("task", list(Task))
def test_calibration_takes_training_pictures_alone(crops: pa.Table, task: Task) -> None:
    drawn = calibration_of(crops, task, 5, seed=0)
    column = "chip_sha256" if task is Task.RECOGNITION else "context_sha256"
    training = crops.filter(pc.equal(crops["split"], Split.TRAIN.value))
    if task is Task.RECOGNITION:
        training = training.filter(pc.is_null(training["species"]))
    assert drawn.num_rows == 5
    assert set(drawn["picture"].to_pylist()) <= set(training[column].to_pylist())
    again = calibration_of(crops.take(np.arange(crops.num_rows)[::-1].copy()), task, 5, seed=0)
    assert again.equals(drawn), "the order of a table decides nothing"


def test_two_embedders_meet_on_the_same_trials(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    two = [_embedder(tmp_path, "first", 1), _embedder(tmp_path, "second", 2)]
    lines = compare(two, crops, PARAMS, store, tmp_path)
    assert [line.name for line in lines] == ["first", "second"]
    assert lines[0].trials_sha256 == lines[1].trials_sha256
    names = [figure.name for figure in lines[0].figures]
    assert names[:2] == ["accuracy", "eer"]
    assert names[2] == "tar_at_fmr_1e-3"
    for line in lines:
        assert line.cpu_ms > 0
        assert line.parameters == 16 * 3 * 7 * 7
        assert line.licence == "Apache-2.0"
    page = to_html("t", contest_blocks(lines, "a processor"))
    for word in ("TAR at FMR 0.001", "MFLOPs", "ms int8", "licence of the weights", "colours"):
        assert word in page


def test_the_line_of_a_model_does_not_depend_on_who_else_is_there(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    alone = compare([_embedder(tmp_path, "one", 1)], crops, PARAMS, store, tmp_path, int8=False)
    both = [_embedder(tmp_path, "two", 2), _embedder(tmp_path, "again", 1)]
    beside = compare(both, crops, PARAMS, store, tmp_path, int8=False)
    assert alone[0].figures == beside[1].figures
    assert alone[0].cpu_ms_int8 is None


def test_models_of_two_tasks_are_refused(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    panel = pad_model(tmp_path / "pad", [("light", 0.0, 9e9, Evidence.SIMULATED)])
    both = [_embedder(tmp_path, "one", 1), exported("pad", OnnxModel.open(panel), OURS)]
    with pytest.raises(BadParameter, match="one task"):
        compare(both, crops, PARAMS, store, tmp_path)


def test_a_panel_stands_with_each_of_its_members(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    members = [("low", 0.0, 1.15, Evidence.SIMULATED), ("high", 1.15, 9e9, Evidence.REAL)]
    panel = exported("pad", OnnxModel.open(pad_model(tmp_path / "pad", members)), OURS)
    lines = compare([panel], crops, PARAMS, store, tmp_path)
    assert [line.name for line in lines] == ["pad", "pad: low", "pad: high"]
    for line in lines:
        assert [figure.name for figure in line.figures] == ["pad_auc", "apcer", "bpcer"]
    assert lines[0].architecture == "low + high"
    assert lines[1].training_data == "none: it measures brightness"
    assert lines[0].cpu_ms == max(line.cpu_ms for line in lines[1:])


def test_a_network_that_cannot_be_int8_stays_and_it_is_said(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    nobody = crops.filter(pc.not_equal(crops["split"], Split.TRAIN.value))
    one = with_int8(_embedder(tmp_path, "one", 1), nobody, PARAMS, store, tmp_path)
    assert one.int8 is None
    assert "no int8: the train split holds no picture" in one.int8_said
    [line] = compare([one], nobody, PARAMS, store, tmp_path)
    assert line.cpu_ms_int8 is None
    tables = [b for b in contest_blocks([line], "p") if isinstance(b, Table)]
    assert any(line.int8_said in row for table in tables for row in table.rows)


def test_an_int8_form_that_lost_its_way_is_called_worse(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    """One that was calibrated on nothing but black in its place: the trials tell."""
    good = _embedder(tmp_path, "one", 1)
    blind = recognition_model(tmp_path / "blind", seed=7, sees=1) / "model.onnx"
    quantise(blind, int8_file(blind), np.zeros((2, 3, 112, 112), np.float32))
    broken = replace(good, int8={"model.onnx": int8_file(blind)})
    itself = replace(good, name="two", int8={"model.onnx": good.folder / "model.onnx"})
    lines = compare([broken, itself], crops, PARAMS, store, tmp_path)
    assert is_worse(lines[0])
    assert not is_worse(lines[1])


def test_a_broken_int8_file_costs_only_the_int8_form(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    good, torn = _embedder(tmp_path, "one", 1), tmp_path / "torn.onnx"
    torn.write_bytes((good.folder / "model.onnx").read_bytes()[:200])
    [line] = compare(
        [replace(good, int8={"model.onnx": torn})], crops, PARAMS, store, tmp_path, int8=False
    )
    assert line.cpu_ms_int8 is None
    assert "torn.onnx cannot be loaded" in line.int8_said
    assert line.figures[0].value is not None


def test_a_model_that_cannot_be_loaded_is_left_out_by_name_or_refused(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    good, torn = _embedder(tmp_path, "one", 1), _embedder(tmp_path, "torn", 2)
    (torn.folder / "model.onnx").write_bytes(b"no network")
    lost: list[str] = []
    lines = compare([good, torn], crops, PARAMS, store, tmp_path, int8=False, lost=lost)
    assert [line.name for line in lines] == ["one"]
    assert lost[0].startswith("torn: model.onnx cannot be loaded")
    with pytest.raises(WeightsUnavailable):
        compare([good, torn], crops, PARAMS, store, tmp_path, int8=False)


@pytest.mark.slow
def test_a_checkpoint_is_judged_as_its_export_would_be(
    crops: pa.Table, store: FolderStore, tmp_path: Path
) -> None:
    folder = make_crops(tmp_path / "crops", store, subjects=12)
    train_model(
        folder,
        tmp_path / "checkpoint",
        TrainParams(task=Task.LIVENESS, epochs=1, views=1, pad_network="compact", pad_side=32,
                    pad_member="npm-liveness"),
        store=store, tracker=None, resume=tmp_path / "resume",
        weights=weights_folder("npm-liveness"),
    )  # fmt: skip
    one = trained("ours", Checkpoint.open(tmp_path / "checkpoint"), tmp_path)
    lines: list[Standing] = compare([one], crops, PARAMS, store, tmp_path)
    assert [line.name for line in lines] == ["ours", "ours: vultus-own", "ours: npm-liveness"]
    assert lines[1].architecture.startswith("compact-pad")
    assert lines[1].licence == "trained here: Apache-2.0"
    assert "MIT" in lines[0].licence
    assert lines[0].parameters == lines[1].parameters + lines[2].parameters
