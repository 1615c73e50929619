"""Mixed precision and failures: what needs a GPU is decided by code that runs without one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vultus.errors import BadParameter, TrainingFailed
from vultus.networks.engine import fit
from vultus.networks.precision import arithmetic_of
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import even_shares
from vultus.networks.schedule import FitParams, reproducible

HALF = FitParams(epochs=3, batch=8, lr=0.01, precision="float16", save_every_s=0.0)


class Clouds:
    """Two clouds; `meddle` may change a batch, or raise."""

    monitored = "accuracy"

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.groups = np.repeat([0, 1], 32).astype(np.int64)
        points = rng.normal(size=(64, 4)) + np.where(self.groups[:, None], 1, -1)
        self.points = torch.from_numpy(points.astype(np.float32))
        self.shares = even_shares(self.groups)
        self.calls, self.stop_at, self.huge_at, self.raises = 0, -1, -1, ""
        self.dtype, self.seen = torch.float32, set[torch.dtype]()

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        self.calls += 1
        if self.calls == self.stop_at:
            raise InterruptedError
        return self.still(indices)

    def still(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        return self.points[indices].to(self.dtype), torch.from_numpy(self.groups[indices])

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        if self.raises:
            raise torch.OutOfMemoryError(self.raises)
        logits = network(batch[0])
        self.seen.add(logits.dtype)
        # Beyond the range of a float16 gradient once it is scaled, yet a finite loss.
        steep = 1e6 if self.calls == self.huge_at else 1.0
        return steep * nn.functional.cross_entropy(logits.float(), batch[1])

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"accuracy": float((network(self.points).argmax(1).numpy() == self.groups).mean())}


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def _same(a: nn.Module, b: nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in a.state_dict().items())


@pytest.mark.parametrize(
    ("precision", "seen"),
    [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)],
)
def test_the_forward_pass_is_in_the_type_that_was_chosen(precision: str, seen: torch.dtype) -> None:
    lesson = Clouds()
    network = _network()
    params = FitParams(epochs=3, batch=8, lr=0.02, precision=precision)
    history = fit(network, lesson, params)
    assert lesson.seen == {seen}
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    assert history[-1][4] >= 0.9


def test_mixed_precision_follows_the_curve_of_float32() -> None:
    curves = {}
    for precision in ("float32", "bfloat16", "float16"):
        params = FitParams(epochs=3, batch=8, lr=0.01, precision=precision)
        history = fit(_network(), Clouds(), params)
        curves[precision] = [row[4] for row in history if row[3] == "loss"]
    # bfloat16 keeps 8 bits of a number, float16 keeps 11.
    assert curves["bfloat16"] == pytest.approx(curves["float32"], rel=2e-2)
    assert curves["float16"] == pytest.approx(curves["float32"], rel=5e-3)


def test_a_gradient_beyond_float16_skips_one_update_and_halves_the_scale(tmp_path: Path) -> None:
    lesson = Clouds()
    lesson.huge_at = 3
    network = _network()
    fit(network, lesson, HALF, resume=ResumeFolder(tmp_path))
    assert all(value.isfinite().all() for value in network.state_dict().values())
    state = ResumeFolder(tmp_path).load()
    assert state is not None
    assert state["scaler"]["scale"] == 65536 / 2  # torch begins at 2^16


@pytest.mark.parametrize("stop_at", [2, 4, 9, 20])
def test_the_scale_survives_a_kill(tmp_path: Path, stop_at: int) -> None:
    undisturbed, resumed = _network(), _network()
    whole = Clouds()
    whole.huge_at = 3
    history = fit(undisturbed, whole, HALF)
    cut = Clouds()
    cut.stop_at, cut.huge_at = stop_at, 3
    folder = ResumeFolder(tmp_path)
    with pytest.raises(InterruptedError):
        fit(_network(), cut, HALF, resume=folder)
    rest = Clouds()
    rest.calls, rest.huge_at = stop_at - 1, 3
    assert fit(resumed, rest, HALF, resume=folder) == history
    assert _same(undisturbed, resumed)


def test_memory_that_runs_out_is_advice() -> None:
    lesson = Clouds()
    lesson.raises = "CUDA out of memory. Tried to allocate 2.00 GiB"
    params = FitParams(epochs=1, batch=32, lr=0.01, accumulate=2)
    with pytest.raises(
        TrainingFailed,
        match=r"epoch 0, step 0 with a batch of 32 in 2 part.*float32 \[16, 4\]"
        r".*accumulate=4.*batch=16.*pad_side",
    ) as caught:
        fit(_network(), lesson, params)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)


@pytest.mark.parametrize(
    ("dtype", "said"),
    [(torch.float64, "float64 [8, 4]"), (torch.float16, "float16"), (torch.uint8, "uint8 [8, 4]")],
)
def test_a_batch_of_the_wrong_type_is_named(dtype: torch.dtype, said: str) -> None:
    lesson = Clouds()
    lesson.dtype = dtype
    with pytest.raises(TrainingFailed) as caught:
        fit(_network(), lesson, FitParams(epochs=1, batch=8, lr=0.01))
    assert said in str(caught.value)
    assert "float32" in str(caught.value)


def test_other_errors_of_a_lesson_keep_their_name() -> None:
    lesson = Clouds()
    lesson.points = lesson.points[:, :3]
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fit(_network(), lesson, FitParams(epochs=1, batch=8, lr=0.01))


@pytest.mark.parametrize("wrong", ["gpu", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused(wrong: str) -> None:
    with pytest.raises(BadParameter, match=f"'{wrong}'"):
        arithmetic_of(wrong, "float32")


def test_a_precision_that_is_none_is_refused() -> None:
    with pytest.raises(BadParameter, match="choose auto, float32"):
        arithmetic_of("cpu", "float8")


@pytest.mark.parametrize(
    ("major", "dtype"), [(7, torch.float16), (8, torch.bfloat16), (9, torch.bfloat16)]
)
def test_auto_takes_what_the_card_does_in_hardware(
    monkeypatch: pytest.MonkeyPatch, major: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (major, 0))
    found = arithmetic_of("auto", "auto", local_rank=1)
    assert (str(found.device), found.dtype) == ("cuda:1", dtype)
    assert found.scaler().is_enabled() is (dtype is torch.float16)


def test_auto_is_float32_on_a_processor() -> None:
    assert arithmetic_of("cpu", "auto").dtype is None


def test_the_gradient_is_cut_to_the_norm_in_every_precision() -> None:
    for precision in ("float32", "float16"):
        moved = {}
        for clip in (0.0, 1e-12):
            network = _network()
            before = [p.detach().clone() for p in network.parameters()]
            params = FitParams(epochs=1, batch=64, lr=0.1, weight_decay=0, clip=clip,
                               precision=precision)  # fmt: skip
            fit(network, Clouds(), params)
            change = [
                (p - q).abs().max() for p, q in zip(network.parameters(), before, strict=True)
            ]
            moved[clip] = float(torch.stack(change).max().detach())
        # Adam undoes the scale of a gradient, but not below its epsilon of 1e-8.
        assert moved[1e-12] < 1e-3 * moved[0.0]


def test_the_process_is_as_before_where_a_training_fails() -> None:
    threads = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), reproducible(HALF):
        raise ZeroDivisionError
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
