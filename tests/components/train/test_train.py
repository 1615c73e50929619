"""The train step on drawn faces: what it writes, and what it refuses."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from pydantic import ValidationError

from components.train import TrainParams, TrainReport, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.artifact import sha256_of
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Evidence, Task
from vultus.errors import TrackingUnavailable, TrainingFailed, WeightsUnavailable
from vultus.faces.picture import decode_image
from vultus.networks.adapter import AdaptedTrunk
from vultus.networks.embedders.catalogue import EMBEDDERS
from vultus.networks.load import TRUNKS, encoder_from, network_from, pad_member_from
from vultus.storage import FolderStore
from vultus.weights import entries

QUICK = {"task": "liveness", "epochs": 1, "views": 1, "pad_side": 32, "pad_member": "own"}
QUICK["pad_network"] = "compact"


@dataclass
class Bench:
    """A store with crops, and the folders a training needs."""

    root: Path
    store: FolderStore
    crops: Path

    def train(self, tracker: "Recorder | None" = None, **params: object) -> TrainReport:
        """One training into `checkpoint`."""
        return train_model(
            self.crops,
            self.root / "checkpoint",
            TrainParams.model_validate(params),
            store=self.store,
            tracker=tracker,
            resume=self.root / "resume",
            weights=weights_folder(
                *([str(params.get("network", "sface"))] if params["task"] == "recognition" else [])
            ),
        )

    @property
    def checkpoint(self) -> Checkpoint:
        """The Checkpoint of the last training."""
        return Checkpoint.open(self.root / "checkpoint")

    def keep(self, mask: pa.ChunkedArray) -> None:
        """Replace the crops by those of `mask`."""
        artifact = FaceCrops.open(self.crops)
        FaceCrops.write(
            self.crops,
            crops=artifact.crops.filter(mask),
            quarantine=artifact.quarantine,
            made_by="test",
            facts={},
        )


@dataclass
class Recorder:
    """A tracker that keeps what it is told, or refuses from the start or after the params."""

    refuses: str = "never"
    params: dict[str, object] = field(default_factory=dict)
    metrics: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    run_id: str = "run-7"

    @contextmanager
    def run(self, experiment: str, name: str, *, run_id: str | None = None) -> Iterator["Recorder"]:
        if self.refuses == "always":
            raise TrackingUnavailable("no server")
        self.params["experiment"] = experiment
        yield self

    def log_params(self, params: Mapping[str, object]) -> None:
        self.params.update(params)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        if self.refuses == "later":
            raise TrackingUnavailable("server went away")
        self.metrics.append((step, metrics))

    def log_file(self, file: Path, folder: str = "") -> None:
        self.files[f"{folder}/{file.name}"] = file.read_bytes()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    store = FolderStore(tmp_path / "store")
    return Bench(tmp_path, store, make_crops(tmp_path / "crops", store))


def _chips(bench: Bench, count: int) -> np.ndarray:
    names = FaceCrops.open(bench.crops).crops["chip_sha256"].to_pylist()[:count]
    return np.stack([decode_image(bench.store.get(name)) for name in names])


FAST = pytest.param("resnet29", "resnet29.dat", marks=pytest.mark.slow)


@pytest.mark.parametrize(("trunk", "file"), [("sface", "sface.onnx"), FAST])
def test_no_epoch_gives_the_untouched_trunk(bench: Bench, trunk: str, file: str) -> None:
    report = bench.train(task="recognition", epochs=0, network=trunk)
    assert report.architecture == f"{trunk}-adapter"
    network = network_from(bench.checkpoint)
    assert isinstance(network, AdaptedTrunk)
    assert not network.adapter.residual.any()
    expected = TRUNKS[trunk].read(weights_folder(trunk) / file).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in network.trunk.state_dict().items())
    assert (report.epochs, report.examples, report.validation) == (0, 0, {})
    assert bench.checkpoint.table("history.parquet").num_rows == 0


def test_every_network_that_can_be_chosen_is_packaged_or_trained_whole() -> None:
    chosen = set(get_args(TrainParams.model_fields["network"].annotation))
    assert chosen == {*TRUNKS, *EMBEDDERS}
    for name in chosen:
        epochs = {"task": "recognition", "network": name}
        assert TrainParams.model_validate(epochs).whole == (name in EMBEDDERS)
    teachers = get_args(get_args(TrainParams.model_fields["teacher"].annotation)[0])
    assert set(teachers) == set(TRUNKS) <= set(entries())


@pytest.mark.parametrize("trunk", ["sface", pytest.param("resnet29", marks=pytest.mark.slow)])
def test_the_adapter_learns_and_stays_near_the_identity(bench: Bench, trunk: str) -> None:
    report = bench.train(task="recognition", epochs=3, network=trunk)
    assert report.examples == 8
    assert 0 < report.validation["adapter_drift"] < 2
    assert {"auc", "eer"} <= set(report.validation)
    embeddings = encoder_from(bench.checkpoint).encode(_chips(bench, 5))
    assert embeddings.shape == (5, 128)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["softmax", "cosface", "triplet"])
def test_an_adapter_learns_with_every_head_that_needs_no_length(bench: Bench, head: str) -> None:
    report = bench.train(task="recognition", epochs=2, head=head)
    assert report.validation["adapter_drift"] > 0
    assert {"auc", "eer"} <= set(report.validation)


def test_the_panel_alone_decides_everywhere_and_scores_are_probabilities(bench: Bench) -> None:
    bench.train(**QUICK)
    transform = bench.checkpoint.transform
    assert isinstance(transform, LivenessTransform)
    (own,) = transform.members
    assert (own.room_min, own.room_max) == (0.0, 1e9)
    assert own.evidence is Evidence.SIMULATED
    assert own.threshold is None
    crops = FaceCrops.open(bench.crops).crops.slice(0, 6)
    images = [decode_image(bench.store.get(n)) for n in crops["context_sha256"].to_pylist()]
    boxes = np.array(crops["context_box"].to_pylist(), np.float32)
    scores = pad_member_from(bench.checkpoint).score(images, boxes)
    assert scores.shape == (6,)
    assert ((scores > 0) & (scores < 1)).all()


def test_a_member_trained_on_real_attacks_takes_the_pictures_with_room(bench: Bench) -> None:
    weights_folder("npm-liveness")
    bench.train(**{**QUICK, "pad_member": "npm-liveness"})
    transform = bench.checkpoint.transform
    assert isinstance(transform, LivenessTransform)
    own, fixed = transform.members
    assert own.room_max == fixed.room_min == 1.15
    assert fixed.evidence is Evidence.REAL
    assert fixed.threshold == 0.5
    assert sha256_of(bench.checkpoint.path / fixed.file) == fixed.sha256


def test_a_member_that_cannot_be_had_is_named(bench: Bench) -> None:
    with pytest.raises(WeightsUnavailable, match="deepface-fasnet"):
        bench.train(**{**QUICK, "pad_member": "deepface-fasnet"})


def test_the_same_training_twice_gives_the_same_bytes(bench: Bench) -> None:
    bench.train(**QUICK)
    first = bench.checkpoint.manifest.sha256
    bench.train(**QUICK)
    assert bench.checkpoint.manifest.sha256 == first


def test_no_state_is_left_behind(bench: Bench) -> None:
    bench.train(**QUICK)
    assert list((bench.root / "resume").iterdir()) == []


def test_history_holds_every_epoch(bench: Bench) -> None:
    bench.train(**{**QUICK, "epochs": 3})
    history = bench.checkpoint.table("history.parquet")
    assert sorted(set(history["epoch"].to_pylist())) == [0, 1, 2]
    assert {"loss", "auc", "auc_print", "auc_replay"} <= set(history["metric"].to_pylist())


def test_everything_is_tracked(bench: Bench) -> None:
    tracker = Recorder()
    report = bench.train(tracker, **{**QUICK, "epochs": 2})
    assert report.run_id == bench.checkpoint.manifest.facts["run_id"] == "run-7"
    assert tracker.params["experiment"] == "vultus-liveness"
    assert tracker.params["pad_side"] == 32
    assert [step for step, m in tracker.metrics if "validation_auc" in m] == [0, 1]
    assert "train_seconds" in tracker.metrics[-1][1]
    assert {f"epochs/{epoch:03d}/confusion.json" for epoch in (0, 1)} <= set(tracker.files)
    environment = json.loads(tracker.files["/environment.json"])
    assert environment["torch"] == tracker.params["environment.torch"] == torch.__version__
    assert (environment["commit"], environment["processes"]) == ("unknown", 1)


def test_a_frozen_trunk_shows_its_errors_too(bench: Bench) -> None:
    weights_folder("lite0")
    tracker = Recorder()
    bench.train(tracker, **{**QUICK, "pad_network": "lite0-frozen"})
    confusion = json.loads(tracker.files["epochs/000/confusion.json"])
    assert {name: sum(row.values()) for name, row in confusion.items()}["bona_fide"] == 8


@pytest.mark.parametrize(("when", "run_id"), [("always", ""), ("later", "run-7")])
def test_without_tracking_the_training_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture, when: str, run_id: str
) -> None:
    assert bench.train(Recorder(refuses=when), **QUICK).run_id == run_id
    assert "tracking" in caplog.text
    assert bench.checkpoint.task is Task.LIVENESS


def test_attacks_alone_or_faces_alone_teach_nothing(bench: Bench) -> None:
    bench.keep(pc.is_null(FaceCrops.open(bench.crops).crops["species"]))
    with pytest.raises(TrainingFailed, match="0 attack presentations"):
        bench.train(**QUICK)


def test_one_subject_teaches_no_embedder(bench: Bench) -> None:
    bench.keep(pc.equal(FaceCrops.open(bench.crops).crops["subject"], "drawn-0-000"))
    with pytest.raises(TrainingFailed, match=r"1 subject.*epochs=0"):
        bench.train(task="recognition")


def test_params_arrive_as_floats_from_kfp_and_know_their_task() -> None:
    params = TrainParams.model_validate({"task": "recognition", "epochs": 5.0, "batch": 16.0})
    assert (params.epochs, params.batch) == (5, 16)
    assert params.weight_decay == 0
    assert TrainParams(task=Task.LIVENESS).weight_decay > 0


@pytest.mark.parametrize(
    "wrong", [{"epochs": "many"}, {"epochs": 1.5}, {"lr": -1}, {"rl": 1}, {"pad_side": 80}]
)
def test_a_wrong_param_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrainParams.model_validate({"task": "liveness", **wrong})
