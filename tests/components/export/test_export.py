"""The export step: what leaves is what was trained, or nothing leaves."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from components.export import ExportParams, export_model
from components.export.parity import measure
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.artifact import sha256_of
from vultus.contracts.evaluation import (
    CALIBRATION,
    PAD_TRIALS,
    RECOGNITION_TRIALS,
    EvaluationReport,
)
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint, OnnxModel
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.errors import BadArtifact, NoTrials, VultusError
from vultus.faces.picture import decode_image
from vultus.inference.encoder import OnnxEncoder
from vultus.networks.graph import without_prelu, write_onnx
from vultus.networks.load import encoder_from
from vultus.storage import FolderStore


@dataclass
class Bench:
    """A checkpoint, and reports of it as `evaluate` writes them (the parts export reads)."""

    root: Path
    store: FolderStore

    def train(self, task: str, **params: object) -> None:
        train_model(
            make_crops(self.root / "crops", self.store),
            self.root / "checkpoint",
            TrainParams.model_validate({"task": task, **params}),
            store=self.store,
            tracker=None,
            resume=self.root / "resume",
            weights=weights_folder(
                *([str(params.get("network", "sface"))] if task == "recognition" else [])
            ),
        )

    def evaluate(
        self, trials: pa.Table, *, calibrated: pa.Table | None = None, **facts: Any
    ) -> None:
        def fill(folder: Path) -> None:
            pq.write_table(trials, folder / "trials.parquet")
            if calibrated is not None:
                pq.write_table(calibrated, folder / "calibration.parquet")

        given = {"checkpoint_digest": Checkpoint.open(self.root / "checkpoint").digest, **facts}
        EvaluationReport.create(
            self.root / "evaluation",
            fill,
            made_by="test",
            facts=given,
        )

    def export(self, **params: object) -> OnnxModel:
        export_model(
            self.root / "checkpoint",
            self.root / "evaluation",
            self.root / "onnx",
            ExportParams.model_validate(params),
            store=self.store,
        )
        return OnnxModel.open(self.root / "onnx")

    def training_pictures(self, picture: str) -> pa.Table:
        rows = FaceCrops.open(self.root / "crops").crops.to_pylist()
        kept = [
            {"picture": row[picture], "box": row["context_box"]}
            for row in rows if row["split"] == "train"
        ]  # fmt: skip
        return pa.Table.from_pylist(kept, schema=CALIBRATION)

    def pad_trials(self) -> pa.Table:
        crops = FaceCrops.open(self.root / "crops").crops.to_pylist()
        rows = [
            {"image": c["context_sha256"], "box": c["context_box"], "species": c["species"],
             "split": c["split"], "slices": []}
            for c in crops if c["split"] != "train"
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=PAD_TRIALS)

    def recognition_trials(self) -> pa.Table:
        chips = FaceCrops.open(self.root / "crops").crops["chip_sha256"].to_pylist()
        rows = [
            {"a": a, "b": b, "mated": False, "split": "test", "slices": []}
            for a, b in pairwise(chips)
        ]
        return pa.Table.from_pylist(rows, schema=RECOGNITION_TRIALS)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, FolderStore(tmp_path / "store"))


@pytest.fixture
def pad(bench: Bench) -> Bench:
    bench.train("liveness", epochs=1, views=1, pad_side=32, pad_member="own")
    return bench


@pytest.mark.slow
@pytest.mark.parametrize("trunk", ["sface", "resnet29"])
def test_the_exported_embedder_is_the_trained_one(bench: Bench, trunk: str) -> None:
    bench.train("recognition", epochs=3, network=trunk)
    bench.evaluate(bench.recognition_trials())
    model = bench.export()
    assert model.parity.inputs == 32
    assert model.parity.max_abs_difference <= 1e-5
    chips = FaceCrops.open(bench.root / "crops").crops["chip_sha256"].to_pylist()[:4]
    pixels = np.stack([decode_image(bench.store.get(name)) for name in chips])
    assert isinstance(model.transform, RecognitionTransform)
    got = OnnxEncoder(model.path / "model.onnx", model.transform).encode(pixels)
    expected = encoder_from(Checkpoint.open(bench.root / "checkpoint")).encode(pixels)
    assert np.abs(got - expected).max() <= 1e-5
    graph = onnx.load(model.path / "model.onnx").graph
    assert [value.name for value in graph.output] == ["embedding"]
    assert "PRelu" not in {node.op_type for node in graph.node}


@pytest.mark.slow
def test_the_panel_leaves_with_thresholds_and_true_digests(bench: Bench) -> None:
    weights_folder("npm-liveness")
    bench.train("liveness", epochs=1, views=1, pad_side=32, pad_member="npm-liveness")
    bench.evaluate(bench.pad_trials(), member_thresholds={"vultus-own": 0.37})
    model = bench.export()
    assert isinstance(model.transform, LivenessTransform)
    thresholds = {member.name: member.threshold for member in model.transform.members}
    assert thresholds == {"vultus-own": 0.37, "npm-liveness": 0.5}
    for member in model.transform.members:
        assert sha256_of(model.path / member.file) == member.sha256
    assert model.parity.inputs == 32
    assert not list(model.path.rglob("*.data"))


def test_a_report_of_another_checkpoint_is_refused(pad: Bench) -> None:
    pad.evaluate(pad.pad_trials(), checkpoint_digest="f" * 64)
    with pytest.raises(BadArtifact, match="evaluate this checkpoint"):
        pad.export()


@pytest.mark.slow
def test_a_missing_threshold_is_refused_by_name(pad: Bench) -> None:
    pad.evaluate(pad.pad_trials())
    with pytest.raises(BadArtifact, match="vultus-own"):
        pad.export()


@pytest.mark.slow
def test_an_export_that_differs_leaves_nothing(pad: Bench) -> None:
    pad.evaluate(pad.pad_trials(), member_thresholds={"vultus-own": 0.5})
    with pytest.raises(VultusError, match="differs from the torch network"):
        pad.export(tolerance=1e-30)
    assert sorted(path.name for path in pad.root.glob("*onnx*")) == []


def test_without_trials_nothing_can_be_compared(pad: Bench) -> None:
    pad.evaluate(PAD_TRIALS.empty_table(), member_thresholds={"vultus-own": 0.5})
    with pytest.raises(NoTrials):
        pad.export()


@pytest.mark.slow
def test_an_export_says_what_it_is_made_of(pad: Bench) -> None:
    pad.evaluate(pad.pad_trials(), member_thresholds={"vultus-own": 0.5})
    model = pad.export()
    said = model.manifest.facts["provenance"]
    assert said["architecture"].startswith("lite0-frozen")
    assert "lite0: Apache-2.0" in said["licence"]
    assert said["training_data"].endswith("attack presentations simulated")
    assert model.manifest.facts["int8"] == {}, "nobody asked for int8"
    assert [file.name for file in model.path.rglob("*.onnx")] == ["vultus-own.onnx"]


@pytest.mark.slow
def test_an_int8_form_is_kept_where_it_is_near_and_its_distance_is_written_down(pad: Bench) -> None:
    pad.evaluate(
        pad.pad_trials(),
        calibrated=pad.training_pictures("context_sha256"),
        member_thresholds={"vultus-own": 0.5},
    )
    model = pad.export(int8=True, int8_max_difference=0.5)
    small = model.path / "vultus-own.int8.onnx"
    assert small.stat().st_size < (model.path / "vultus-own.onnx").stat().st_size / 2
    assert model.parity.int8_max_abs_difference is not None
    assert model.parity.int8_max_abs_difference > model.parity.max_abs_difference
    assert "from float32 on" in model.manifest.facts["int8"]["vultus-own.onnx"]


@pytest.mark.slow
def test_an_int8_form_too_far_away_is_left_out_and_that_is_said(pad: Bench) -> None:
    pad.evaluate(
        pad.pad_trials(),
        calibrated=pad.training_pictures("context_sha256"),
        member_thresholds={"vultus-own": 0.5},
    )
    model = pad.export(int8=True, int8_max_difference=1e-6)
    assert not list(model.path.rglob("*.int8.onnx"))
    assert model.parity.int8_max_abs_difference is None
    assert "allowed is 1e-06" in model.manifest.facts["int8"]["vultus-own.onnx"]


@pytest.mark.slow
def test_no_pictures_to_calibrate_on_costs_only_the_int8_form(pad: Bench) -> None:
    pad.evaluate(pad.pad_trials(), member_thresholds={"vultus-own": 0.5})
    model = pad.export(int8=True)
    assert "evaluate again" in model.manifest.facts["int8"]["vultus-own.onnx"]
    assert (model.path / "vultus-own.onnx").is_file()


@pytest.mark.slow
def test_an_int8_embedder_keeps_its_directions(bench: Bench) -> None:
    bench.train("recognition", epochs=0)
    chips = bench.training_pictures("chip_sha256")
    bench.evaluate(bench.recognition_trials(), calibrated=chips)
    model = bench.export(int8=True, int8_min_cosine=0.5)
    assert model.parity.int8_min_cosine is not None
    assert 0.5 <= model.parity.int8_min_cosine < 1
    assert (model.path / "model.int8.onnx").is_file()
    assert model.manifest.facts["provenance"]["licence"] == "sface: Apache-2.0 (OpenCV Zoo)"


def test_two_slopes_are_a_prelu() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.PReLU(5), nn.PReLU(5)).eval()
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([-0.7, 0.0, 0.25, 1.0, 1.9]))
        pixels = torch.randn(2, 3, 8, 8)
        rewritten = without_prelu(network)
        torch.testing.assert_close(rewritten(pixels), network(pixels), atol=1e-6, rtol=1e-6)
    assert isinstance(network[1], nn.PReLU)
    assert not any(isinstance(module, nn.PReLU) for module in rewritten.modules())


@pytest.mark.slow
def test_any_batch_size_runs_and_a_wrong_file_is_noticed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)).eval()
    write_onnx(network, torch.zeros(2, 3, 8, 8), "out", tmp_path / "net.onnx")
    inputs = np.random.default_rng(0).normal(size=(7, 3, 8, 8)).astype(np.float32)
    assert measure(network, tmp_path / "net.onnx", inputs, 1e-5).inputs == 7
    with torch.no_grad():
        network[2].bias += 1e-3
    with pytest.raises(VultusError, match=r"net\.onnx differs"):
        measure(network, tmp_path / "net.onnx", inputs, 1e-4)
