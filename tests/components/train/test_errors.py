"""What a lesson can show reaches the tracker, epoch by epoch; one that cannot is left in peace."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from components.train.errors import CountsErrors, ShowsErrors, pages, sheet
from components.train.tracking import tracked
from support.tracking import Tracking
from vultus.contracts.arrays import RgbImage
from vultus.contracts.home import Home
from vultus.networks.engine import fit
from vultus.networks.sampling import even_shares
from vultus.networks.schedule import FitParams

pytestmark = pytest.mark.slow

RED, BLUE = (250, 10, 10), (10, 10, 250)


class Squares:
    """Red or blue squares; what is shown depends on the network's answers."""

    monitored = "accuracy"

    def __init__(self) -> None:
        self.groups = np.repeat([0, 1], 6).astype(np.int64)
        self.shares = even_shares(self.groups)
        colours = np.array([RED, BLUE], np.uint8)[self.groups]
        self.pictures = np.broadcast_to(colours[:, None, None], (12, 8, 16, 3))
        self.inputs = torch.from_numpy(colours.astype(np.float32)) / 255

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        return self.still(indices)

    def still(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        return self.inputs[indices], torch.from_numpy(self.groups[indices]).float()

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(network(batch[0])[:, 0], batch[1])

    def validate(self, network: nn.Module) -> dict[str, float]:
        assert not network.training
        return {"accuracy": float((self._taken(network) == self.groups).mean())}

    def confusion(self, network: nn.Module) -> dict[str, dict[str, int]]:
        taken = self._taken(network)
        return {
            name: {
                answer: int(((self.groups == truth) & (taken == told)).sum())
                for told, answer in enumerate(("bona_fide", "attack"))
            }
            for truth, name in enumerate(("bona_fide", "print"))
        }

    def hardest(self, network: nn.Module, n: int) -> list[tuple[int, float]]:
        wrong = np.flatnonzero(self._taken(network) != self.groups)
        return [(int(index), 0.75) for index in wrong[:n]]

    def shown(self, index: int) -> tuple[RgbImage, str]:
        return self.pictures[index], ("bona_fide", "print")[self.groups[index]]

    def _taken(self, network: nn.Module) -> np.ndarray:
        return (network(self.inputs)[:, 0] > 0).numpy().astype(int)


class Mute:
    """A lesson with nothing to show."""


def _blind() -> nn.Module:
    """Takes everything for an attack."""
    network = nn.Linear(3, 1)
    nn.init.zeros_(network.weight)
    nn.init.ones_(network.bias)
    return network.eval()


@torch.no_grad()
def test_the_sheet_shows_the_pictures_that_were_wrong_and_no_other() -> None:
    files = pages(Squares(), _blind())
    page = cv2.imdecode(np.frombuffer(files["hardest.png"], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert page.shape == (160 + 36, 6 * 160, 3)
    middles = page[40, 80::160]
    assert (np.abs(middles.astype(int) - RED) < 3).all()
    confusion = json.loads(files["confusion.json"])
    assert confusion == {
        "bona_fide": {"bona_fide": 0, "attack": 6},
        "print": {"bona_fide": 0, "attack": 6},
    }
    assert files["confusion.png"].startswith(b"\x89PNG")


def test_a_lesson_that_cannot_show_is_no_error() -> None:
    assert not isinstance(Mute(), ShowsErrors | CountsErrors)
    assert pages(Mute(), _blind()) == {}


@pytest.mark.parametrize("shape", [(8, 300, 3), (300, 8, 3), (1, 1, 3)])
def test_a_picture_of_any_shape_stays_in_its_tile(shape: tuple[int, int, int]) -> None:
    page = sheet([(np.zeros(shape, np.uint8), "print", 0.5)] * 7)
    assert page.shape == (2 * 196, 6 * 160, 3)
    assert (page[:2] == 255).all()


def test_mlflow_holds_a_sheet_and_a_confusion_for_every_epoch(tmp_path: Path) -> None:
    tracking = Tracking(Home(tmp_path / "home"))
    lesson = Squares()
    torch.manual_seed(0)
    with tracked(tracking.tracker, "vultus-test", "train", tmp_path / "kept") as log:
        log.environment({"commit": "abc"})
        fit(
            _blind(),
            lesson,
            FitParams(epochs=2, batch=4, lr=1e-6),
            on_epoch=log.epoch,
            look=log.look(lesson),
        )
    (root,) = (tmp_path / "home").glob("mlflow/artifacts/**/artifacts")
    found = {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}
    pictures = {"confusion.json", "confusion.png", "hardest.png"}
    assert found == {"environment.json"} | {f"epochs/00{e}/{n}" for e in (0, 1) for n in pictures}
    assert json.loads((root / "environment.json").read_text())["commit"] == "abc"


class _Refusing:
    """A tracker whose files are refused."""

    run_id = "run-1"

    @contextmanager
    def run(
        self, experiment: str, name: str, *, run_id: str | None = None
    ) -> Iterator["_Refusing"]:
        yield self

    def log_params(self, params: Mapping[str, object]) -> None: ...

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None: ...

    def log_file(self, file: Path, folder: str = "") -> None:
        from vultus.errors import TrackingUnavailable

        raise TrackingUnavailable("disk full over there")


def test_a_tracker_that_refuses_files_does_not_stop_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lesson = Squares()
    with tracked(_Refusing(), "vultus-test", "train", tmp_path) as log:
        history = fit(
            _blind(), lesson, FitParams(epochs=2, batch=4, lr=1e-3), look=log.look(lesson)
        )
    assert {row[0] for row in history} == {0, 1}
    assert "tracking stopped" in caplog.text
