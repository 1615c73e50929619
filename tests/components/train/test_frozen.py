"""The head on a frozen trunk: what it weighs, what it says of itself, and what a kill changes."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from components.train import TrainParams, TrainReport, train_model
from components.train.errors import pages
from components.train.frozen import _Described, shares_of
from components.train.pictures import rows_of
from components.train.presentations import BONA_FIDE, groups_of
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Split
from vultus.errors import StorageUnavailable, TrainingFailed
from vultus.networks.frozen_pad import FrozenPad
from vultus.networks.lite0 import Lite0
from vultus.networks.load import network_from, pad_member_from
from vultus.networks.resume import ResumeFolder
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow

PARAMS = {"task": "liveness", "pad_member": "own", "pad_network": "lite0-frozen"}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder that holds the trunk and nothing else."""
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder("lite0"), folder, ignore=_all_but_lite0)
    return folder


def _all_but_lite0(_: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("lite0")}


def trained(root: Path, store: FolderStore, weights: Path, out: str, **params: Any) -> TrainReport:
    return train_model(
        root / "crops",
        root / out,
        TrainParams.model_validate({**PARAMS, **params}),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=weights,
    )


def test_it_learns_and_is_read_back(tmp_path: Path, store: FolderStore, weights: Path) -> None:
    make_crops(tmp_path / "crops", store)
    report = trained(tmp_path, store, weights, "checkpoint")
    checkpoint = Checkpoint.open(tmp_path / "checkpoint")
    transform = checkpoint.transform
    assert isinstance(transform, LivenessTransform)
    (own,) = transform.members
    assert (own.tensor.side, own.scales) == (112, (2.7,))
    assert "ImageNet" in own.training_data
    assert "8 simulated" in own.training_data
    assert isinstance(network_from(checkpoint), FrozenPad)
    assert report.validation["auc"] > 0.5
    losses = checkpoint.table("history.parquet").filter(pc.field("metric") == "loss")
    assert losses["value"].to_pylist() == sorted(losses["value"].to_pylist(), reverse=True)
    crops = FaceCrops.open(tmp_path / "crops").crops
    assert len(pad_member_from(checkpoint).score([], np.empty((0, 4), np.float32))) == 0
    assert crops.num_rows


def test_the_trunk_in_the_checkpoint_is_the_packaged_one(
    tmp_path: Path, store: FolderStore, weights: Path
) -> None:
    make_crops(tmp_path / "crops", store)
    trained(tmp_path, store, weights, "checkpoint", views=1)
    network = network_from(Checkpoint.open(tmp_path / "checkpoint"))
    assert isinstance(network, FrozenPad)
    packaged = torch.load(weights / "lite0.pth", weights_only=True)
    for name, value in network.trunk.state_dict().items():
        assert torch.equal(value, packaged[name]), name


class _Killed(RuntimeError):
    pass


def test_a_killed_description_goes_on_and_ends_the_same(
    tmp_path: Path, store: FolderStore, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.train.describing._CHUNK", 4)
    make_crops(tmp_path / "crops", store)
    trained(tmp_path, store, weights, "undisturbed")
    described, kept = [], ResumeFolder.save

    def die_after_the_second(self: ResumeFolder, state: dict[str, Any]) -> None:
        kept(self, state)
        described.append({name: len(value) for name, value in state.items()})
        if len(described) == 2:
            raise _Killed

    monkeypatch.setattr("components.train.describing.Describer._due", lambda self: True)
    monkeypatch.setattr(ResumeFolder, "save", die_after_the_second)
    with pytest.raises(_Killed):
        trained(tmp_path, store, weights, "killed")
    monkeypatch.setattr(ResumeFolder, "save", kept)
    seen, forward = [], Lite0.forward

    def counted(self: Lite0, crops: torch.Tensor) -> torch.Tensor:
        seen.append(len(crops))
        return forward(self, crops)

    monkeypatch.setattr(Lite0, "forward", counted)
    trained(tmp_path, store, weights, "killed")
    whole = 2 * 16 + 16  # two views of the train split, one of validation
    assert described[-1] == {"train": 16}
    assert sum(seen) == whole - 16
    one, two = (Checkpoint.open(tmp_path / name) for name in ("undisturbed", "killed"))
    assert one.manifest.sha256 == two.manifest.sha256


def test_without_the_trunk_it_trains_from_scratch_and_says_so(
    tmp_path: Path, store: FolderStore, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/none")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    make_crops(tmp_path / "crops", store)
    with caplog.at_level(logging.WARNING):
        trained(tmp_path, store, tmp_path / "none", "checkpoint", epochs=1, views=1, pad_side=32)
    checkpoint = Checkpoint.open(tmp_path / "checkpoint")
    transform = checkpoint.transform
    assert isinstance(transform, LivenessTransform)
    assert checkpoint.architecture.name == "compact-pad"
    assert "could not be had" in transform.members[0].training_data
    assert "EfficientNet-Lite0 is not to be had" in caplog.text


def test_its_errors_are_shown_from_what_was_described(tmp_path: Path, store: FolderStore) -> None:
    make_crops(tmp_path / "crops", store)
    columns = ("context_sha256", "context_box", "species")
    rows = rows_of(FaceCrops.open(tmp_path / "crops").crops, Split.VALIDATION, columns)
    params = TrainParams.model_validate({**PARAMS, "pad_scales": (2.7,)})
    wrong = np.array([-1.0 if row["species"] is None else 1.0 for row in rows])
    wrong[3] *= 4
    described = _Described(wrong, rows, params, store)
    files = pages(described, FrozenPad())
    assert set(files) == {"confusion.json", "confusion.png", "hardest.png"}
    assert json.loads(files["confusion.json"])["bona_fide"] == {"bona_fide": 0, "attack": 8}
    ((worst, _),) = described.hardest(FrozenPad(), 1)
    picture, name = described.shown(worst)
    assert (worst, picture.shape, name) == (3, (96, 96, 3), rows[3]["species"] or "bona_fide")


def test_one_class_alone_is_refused(tmp_path: Path, store: FolderStore, weights: Path) -> None:
    make_crops(tmp_path / "crops", store, attacks=False)
    with pytest.raises(TrainingFailed, match="needs both"):
        trained(tmp_path, store, weights, "checkpoint")


def test_a_full_disk_is_no_silent_loss(
    tmp_path: Path, store: FolderStore, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_crops(tmp_path / "crops", store)
    (tmp_path / "resume").write_text("a file where the folder should be")
    with pytest.raises(StorageUnavailable):
        trained(tmp_path, store, weights, "checkpoint")


CAMERA = '{"camera": {}}'
KINDS = {
    "untouched": {"species": None, "simulation": None},
    "tight": {"species": None, "simulation": '{"frame_extent": 1.1}'},
    "recaptured": {"species": None, "simulation": CAMERA},
    "print": {"species": "print", "simulation": CAMERA},
    "replay": {"species": "replay", "simulation": CAMERA},
}


@pytest.mark.parametrize(
    ("names", "untouched"),
    [
        (["untouched", "tight", "recaptured", "print", "replay", "replay"], 0.3),
        (["untouched", "recaptured", "print"], 0.0),
        (["recaptured", "recaptured", "print"], 0.3),
        (["untouched", "print"], 0.0),
    ],
)
def test_shares_hold_whatever_there_is(names: list[str], untouched: float) -> None:
    rows = [KINDS[name] for name in names]
    params = TrainParams.model_validate({**PARAMS, "untouched_share": untouched})
    groups = groups_of(rows)
    shares = shares_of(rows, groups, params)
    assert shares.sum() == pytest.approx(1)
    assert shares[groups == BONA_FIDE].sum() == pytest.approx(0.5)
    raw = np.array([name in ("untouched", "tight") for name in names])
    if raw.any() and "recaptured" in names:
        assert shares[raw].sum() == pytest.approx(0.5 * untouched)
    assert len(set(shares[groups != BONA_FIDE].tolist())) == 1


@pytest.mark.parametrize("said", [["species=print"], ["source=elsewhere"]])
def test_what_is_left_out_is_not_learned_from(
    tmp_path: Path, store: FolderStore, weights: Path, said: list[str]
) -> None:
    make_crops(tmp_path / "crops", store)
    artifact = FaceCrops.open(tmp_path / "crops")
    crops = artifact.crops
    places = [("elsewhere" if row % 5 == 0 else "here") for row in range(crops.num_rows)]
    index = crops.schema.get_field_index("source")
    moved = crops.set_column(index, crops.schema.field("source"), pa.array(places))
    FaceCrops.write(
        tmp_path / "crops", crops=moved, quarantine=artifact.quarantine, made_by="test", facts={}
    )
    whole = trained(tmp_path, store, weights, "whole", views=1)
    part = trained(tmp_path, store, weights, "part", views=1, leave_out=said)
    assert part.examples < whole.examples
    column, _, name = said[0].partition("=")
    kept = moved.filter(pc.field("split") == "train")
    gone = sum(value == name for value in kept[column].to_pylist())
    assert part.examples == whole.examples - gone
