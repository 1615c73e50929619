"""Whole embedders: each trains on drawn faces, is evaluated, leaves as ONNX and says the same."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from pydantic import ValidationError

from components.evaluate import EvaluateParams, evaluate_model
from components.export import ExportParams, export_model
from components.train import TrainParams, TrainReport, train_model
from components.train.augmentation import chimera
from components.train.chips import array_of, taught_views
from components.train.subjects import mates_of
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint, OnnxModel
from vultus.contracts.transform import RecognitionTransform
from vultus.errors import BadArtifact, StorageUnavailable, TrainingFailed
from vultus.faces.picture import decode_image
from vultus.inference.encoder import OnnxEncoder
from vultus.networks.embedders.catalogue import EMBEDDERS
from vultus.networks.embedders.embedder import UnitEmbedder
from vultus.networks.load import encoder_from, network_from
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow

SMALL: dict[str, dict[str, int | float]] = {
    "facenet": {"dimension": 32, "side": 96},
    "vggface": {"dimension": 32, "side": 64, "width": 0.125},
    "ir18": {"dimension": 32, "width": 0.125},
    "ir50": {"dimension": 32, "width": 0.125},
    "mobilefacenet": {"dimension": 32, "width": 0.25},
    "edge": {"dimension": 32, "width": 0.25},
}
TINY = {"network": "edge", "network_options": SMALL["edge"], "epochs": 2, "batch": 4}


@dataclass
class Bench:
    """A store with crops, and the folders that three steps need."""

    root: Path
    store: FolderStore

    def train(self, **params: object) -> TrainReport:
        teacher = params.get("teacher")
        return train_model(
            self.root / "crops",
            self.root / "checkpoint",
            TrainParams.model_validate({"task": "recognition", **TINY, **params}),
            store=self.store,
            tracker=None,
            resume=self.root / "resume",
            weights=weights_folder(*([str(teacher)] if teacher else [])),
        )

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.open(self.root / "checkpoint")

    def keep(self, mask: object) -> None:
        artifact = FaceCrops.open(self.root / "crops")
        crops, nothing = artifact.crops.filter(mask), artifact.quarantine
        FaceCrops.write(
            self.root / "crops", crops=crops, quarantine=nothing, made_by="test", facts={}
        )

    def chips(self, count: int) -> np.ndarray:
        names = FaceCrops.open(self.root / "crops").crops["chip_sha256"].to_pylist()[:count]
        return np.stack([decode_image(self.store.get(name)) for name in names])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store, subjects=9, attacks=False)
    return Bench(tmp_path, store)


@pytest.mark.parametrize("name", EMBEDDERS)
def test_it_trains_is_evaluated_and_leaves_as_onnx(bench: Bench, name: str) -> None:
    report = bench.train(network=name, network_options=SMALL[name])
    assert (report.architecture, report.epochs, report.examples) == (name, 2, 12)
    assert {"auc", "eer"} <= set(report.validation)
    assert isinstance(network_from(bench.checkpoint), UnitEmbedder)
    evaluate_model(
        bench.root / "checkpoint",
        bench.root / "crops",
        bench.root / "evaluation",
        EvaluateParams.model_validate({}),
        store=bench.store,
    )
    export_model(
        bench.root / "checkpoint",
        bench.root / "evaluation",
        bench.root / "onnx",
        ExportParams(),
        store=bench.store,
    )
    model = OnnxModel.open(bench.root / "onnx")
    assert model.parity.max_abs_difference <= 1e-4
    assert isinstance(model.transform, RecognitionTransform)
    got = OnnxEncoder(model.path / "model.onnx", model.transform).encode(bench.chips(4))
    assert got.shape == (4, 32)
    assert np.abs(got - encoder_from(bench.checkpoint).encode(bench.chips(4))).max() <= 1e-4


@pytest.mark.parametrize("head", ["softmax", "cosface", "adaface", "triplet"])
def test_every_head_moves_the_whole_network(bench: Bench, head: str) -> None:
    bench.train(head=head)
    history = bench.checkpoint.table("history.parquet").to_pylist()
    losses = [row["value"] for row in history if row["metric"] == "loss"]
    assert len(losses) == 2
    assert all(np.isfinite(losses))
    first = bench.checkpoint.manifest.sha256
    bench.train(head="arcface")
    assert bench.checkpoint.manifest.sha256 != first


def test_a_student_comes_nearer_to_its_teacher_and_needs_no_second_subject(bench: Bench) -> None:
    bench.keep(pc.equal(FaceCrops.open(bench.root / "crops").crops["subject"], "drawn-0-000"))
    report = bench.train(
        teacher="sface", epochs=40, batch=8, views=8, network_options={"width": 0.25}
    )
    transform = bench.checkpoint.transform
    assert isinstance(transform, RecognitionTransform)
    assert (report.examples, transform.dimension) == (4, 128)
    losses = [
        row["value"]
        for row in bench.checkpoint.table("history.parquet").to_pylist()
        if row["metric"] == "loss"
    ]
    assert losses[-1] < 0.5 * losses[0]


def test_a_teacher_and_a_head_share_the_loss(bench: Bench) -> None:
    bench.train(teacher="resnet29", distil_weight=0.5, views=2, network_options={"width": 0.25})
    assert bench.checkpoint.architecture.options["dimension"] == 128


def test_another_length_than_the_teachers_is_refused(bench: Bench) -> None:
    with pytest.raises(TrainingFailed, match=r"edge gives 32 numbers a face.*sface gives 128"):
        bench.train(teacher="sface", views=2)


def test_a_killed_or_repeated_training_ends_with_the_same_bytes(bench: Bench) -> None:
    bench.train()
    first = bench.checkpoint.manifest.sha256
    bench.train()
    assert bench.checkpoint.manifest.sha256 == first
    assert list((bench.root / "resume").iterdir()) == []


def test_one_subject_is_refused_and_told_what_would_do(bench: Bench) -> None:
    bench.keep(pc.equal(FaceCrops.open(bench.root / "crops").crops["subject"], "drawn-0-000"))
    with pytest.raises(TrainingFailed, match=r"1 subject.*train.teacher"):
        bench.train()


def test_frozen_stages_stay_and_all_of_them_frozen_is_refused(bench: Bench) -> None:
    from vultus.networks.embedders.catalogue import build_embedder
    from vultus.networks.schedule import FitParams, reproducible

    with reproducible(FitParams(epochs=2, batch=4, lr=1.0, seed=3)):
        start = build_embedder("edge", {"side": 112, **SMALL["edge"]}).state_dict()
    bench.train(freeze=2, seed=3)
    kept = network_from(bench.checkpoint).state_dict()
    same = {key for key, value in start.items() if torch.equal(kept[f"embedder.{key}"], value)}
    frozen = {key for key in start if key.startswith(("stem.", "body.0."))}
    assert frozen <= same
    assert "dense.weight" not in same
    with pytest.raises(TrainingFailed, match="which has 5 stages"):
        bench.train(freeze=5)


def test_weights_of_another_architecture_are_refused(bench: Bench) -> None:
    weights_folder("sface")
    with pytest.raises(BadArtifact, match=r"sface.onnx cannot be read as weights"):
        bench.train(weights="sface")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"network": "sface", "teacher": "resnet29"}, "teacher: sface stays frozen"),
        ({"network": "sface", "freeze": 1}, "freeze: sface"),
        ({"network": "sface", "head": "adaface"}, "length of an embedding"),
        ({"network": "edge", "epochs": 0}, "random weights"),
    ],
)
def test_params_that_contradict_each_other_are_named(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrainParams.model_validate({"task": "recognition", **wrong})


def test_options_arrive_as_floats_from_kfp() -> None:
    given = {
        "task": "recognition",
        "network": "edge",
        "network_options": {"side": 64.0, "width": 0.5},
    }
    assert TrainParams.model_validate(given).network_options == {"side": 64, "width": 0.5}


def test_a_batch_for_triplets_pairs_each_face_with_a_mate() -> None:
    groups = np.array([0, 0, 1, 1, 1, 2])
    drawn = np.array([0, 3, 5, 1, 2, 4])
    paired = mates_of(groups, drawn, np.random.default_rng(0))
    assert paired[:3].tolist() == [0, 3, 5]
    assert (groups[paired[:3]] == groups[paired[3:]]).all()
    assert paired[3] == 1
    assert paired[4] in (2, 4)
    assert paired[5] == 5  # alone


def test_many_chips_go_to_a_file_and_few_stay_in_memory(tmp_path: Path) -> None:
    side = 112 * 112 * 3
    assert not isinstance(array_of(2, tmp_path / "few.npy", in_memory=2 * side), np.memmap)
    mapped = array_of(3, tmp_path / "many" / "chips.npy", in_memory=2 * side)
    assert isinstance(mapped, np.memmap)
    assert mapped.shape == (3, 112, 112, 3)
    (tmp_path / "blocked").write_text("")
    with pytest.raises(StorageUnavailable, match="cannot keep chips"):
        array_of(3, tmp_path / "blocked" / "chips.npy", in_memory=0)


def test_views_are_the_chip_first_and_what_the_teacher_said_is_kept(tmp_path: Path) -> None:
    class Counting:
        dimension, asked = 2, 0

        def encode(self, chips: np.ndarray) -> np.ndarray:
            self.asked += len(chips)
            return np.stack([chips.mean((1, 2, 3)), chips.std((1, 2, 3))], 1).astype(np.float32)

    chips = np.random.default_rng(0).integers(0, 256, (5, 112, 112, 3), np.uint8)
    params = TrainParams.model_validate(
        {"task": "recognition", **TINY, "teacher": "sface", "views": 3, "distil_mix": 1.0}
    )
    teacher = Counting()
    views, taught = taught_views(chips, params, teacher, tmp_path)
    assert np.array_equal(views[::3], chips)
    assert not np.array_equal(views[1], views[2])
    assert np.allclose(taught, Counting().encode(views))
    again, known = taught_views(chips, params, teacher, tmp_path)
    assert np.array_equal(again, views)
    assert np.array_equal(known, taught)
    assert teacher.asked == len(views)


def test_a_chimera_is_a_mixture_of_two_and_random_by_its_generator_alone() -> None:
    dark, light = (np.full((112, 112, 3), value, np.uint8) for value in (40, 200))
    made = chimera(dark, light, np.random.default_rng(1))
    assert made.dtype == np.uint8
    assert 40 <= made.min() < 80
    assert 160 < made.max() <= 200
    assert np.array_equal(made, chimera(dark, light, np.random.default_rng(1)))
    assert np.array_equal(chimera(dark, dark, np.random.default_rng(2)), dark)
