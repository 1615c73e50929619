"""Recognition with bad input: what stops, what is said, what is kept for a look."""

import shutil
from pathlib import Path

import pytest
import torch

from components.train import TrainParams, TrainReport, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.errors import BadArtifact, TrainingFailed, WeightsUnavailable
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow

EDGE = {"network": "edge", "network_options": {"dimension": 32, "width": 0.25}, "epochs": 2}


def _train(root: Path, files: Path, *, images: int = 4, **params: object) -> TrainReport:
    store = FolderStore(root / "store")
    make_crops(root / "crops", store, subjects=9, images=images, attacks=False)
    return train_model(
        root / "crops",
        root / "checkpoint",
        TrainParams.model_validate({"task": "recognition", "batch": 4, **params}),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=files,
    )


@pytest.mark.parametrize("network", ["edge", "sface"])
def test_one_picture_of_every_subject_is_a_warning_and_for_triplet_a_refusal(
    network: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = weights_folder("sface")
    chosen = EDGE if network == "edge" else {"network": "sface", "epochs": 2}
    report = _train(tmp_path, weights, images=1, head="cosface", **chosen)
    assert report.epochs == 2
    assert "auc" not in report.validation, "there is no mated pair to measure with"
    (warning,) = (r for r in caplog.records if "one picture of every subject" in r.getMessage())
    assert vars(warning)["subjects"] == 3
    with pytest.raises(TrainingFailed, match=r"triplet.*none of the 3.*cosface.*train\.teacher"):
        _train(tmp_path, weights, images=1, head="triplet", **chosen)


@pytest.mark.parametrize("network", ["edge", "sface"])
def test_a_loss_that_is_no_number_stops_and_keeps_the_batch(network: str, tmp_path: Path) -> None:
    chosen = EDGE if network == "edge" else {"network": "sface", "epochs": 5, "adapter_pull": 1}
    with pytest.raises(TrainingFailed, match=r"no number at epoch \d, step \d.*lower the lr") as no:
        _train(tmp_path, weights_folder("sface"), lr=1e30, **chosen)
    (kept,) = (tmp_path / "resume").rglob("failed_batch.pt")
    assert str(kept) in str(no.value)
    pictures, subjects = torch.load(kept, weights_only=True)
    assert len(pictures) == len(subjects) == 4
    assert not (tmp_path / "checkpoint").exists()


def test_weights_of_another_architecture_are_refused_with_what_differs(tmp_path: Path) -> None:
    with pytest.raises(
        BadArtifact, match=r"lite0\.pth does not fit edge.*missing.*choose that architecture"
    ):
        _train(tmp_path, weights_folder("lite0"), weights="lite0", **EDGE)


@pytest.mark.parametrize("how", ["adapter", "teacher", "weights"])
def test_a_file_with_another_sha256_is_not_read(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte of the file was changed; where it cannot be fetched again the training stops."""
    chosen = {
        "adapter": {"network": "sface", "epochs": 0},
        "teacher": {**EDGE, "network_options": {"width": 0.25}, "teacher": "sface", "views": 1},
        "weights": {**EDGE, "weights": "sface"},
    }[how]
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("sface.onnx", "sface.onnx.json"):
        shutil.copy(weights_folder("sface") / name, folder / name)
    content = bytearray((folder / "sface.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "sface.onnx").write_bytes(content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(WeightsUnavailable, match="vultus weights fetch sface"):
        _train(tmp_path, folder, **chosen)
    assert not (tmp_path / "checkpoint").exists()
