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
from vultus.contracts.evaluation import PAD_TRIALS, RECOGNITION_TRIALS, EvaluationReport
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

    def evaluate(self, trials: pa.Table, **facts: Any) -> None:
        given = {"checkpoint_digest": Checkpoint.open(self.root / "checkpoint").digest, **facts}
        EvaluationReport.create(
            self.root / "evaluation",
            lambda folder: pq.write_table(trials, folder / "trials.parquet"),
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
