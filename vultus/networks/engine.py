"""The training loop: AdamW, warm-up and cosine, clipping, EMA, exact resume.

Every random choice of an epoch and a step is drawn from (seed, epoch, step), so that a state on
disk needs the position alone; torch's own generator (dropout) is the one thing saved beside it.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vultus.contracts.words import Split
from vultus.errors import TrainingFailed
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices, balanced_order
from vultus.networks.schedule import FitParams, learning_rate, optimiser_for, reproducible

logger = logging.getLogger(__name__)
_REPORT_S = 5.0

HistoryRow = tuple[int, int, str, str, float]
"""epoch, step, split, metric, value: a row of HISTORY_SCHEMA."""


class Lesson(Protocol):
    """What is learned: examples, a loss, and how well it went."""

    @property
    def groups(self) -> Indices:
        """int64 [N]: the balancing group of each example."""

    @property
    def shares(self) -> Mapping[int, float]:
        """Group -> its share of an epoch."""

    @property
    def monitored(self) -> str:
        """The validation metric that early stopping watches; higher is better."""

    def batch(self, indices: Indices, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Tensors of these examples, augmented."""

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Scalar to be made small."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Metrics on the validation split; empty where it holds too little."""


@dataclass
class _Course:
    """What lives while a network is trained; exactly this is saved."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    averaged: dict[str, Tensor]
    history: list[HistoryRow] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_value: float = -math.inf
    best_epoch: int = -1
    epoch: int = 0
    step: int = 0  # inside the epoch
    loss_sum: float = 0.0

    def state(self) -> dict[str, Any]:
        kept = ("averaged", "history", "best", "best_value", "best_epoch", "epoch", "step")
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "loss_sum": self.loss_sum,
            **{name: getattr(self, name) for name in kept},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch_rng"])
        self.history = [tuple(row) for row in state["history"]]
        for name in ("averaged", "best", "best_value", "best_epoch", "epoch", "step", "loss_sum"):
            setattr(self, name, state[name])


def fit(
    network: nn.Module,
    lesson: Lesson,
    params: FitParams,
    *,
    resume: ResumeFolder | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> list[HistoryRow]:
    """Train `network` in place; it ends in evaluation mode with the averaged or best weights.

    Args:
        resume: where the state is kept, and found again after a kill.
        on_epoch: called with the epoch and its metrics ("train_loss", "validation_…").
    Returns: the history, the epochs before a resume included.
    Raises: TrainingFailed, for a loss that is no number: names epoch and step and, with `resume`,
        the file that holds the batch.
    """
    with reproducible(params):
        course = _Course(network, optimiser_for(network, params), _copy(network, params.ema > 0))
        state = resume.load() if resume else None
        if state is not None:
            course.restore(state)
            logger.info("training resumed", extra={"epoch": course.epoch, "step": course.step})
        while course.epoch < params.epochs and not _stale(course, params):
            _run_epoch(course, lesson, params, resume)
            metrics = _close_epoch(course, lesson, params)
            if resume:
                resume.save(course.state())
            if on_epoch:
                on_epoch(course.epoch - 1, metrics)
        network.load_state_dict(course.best or course.averaged or network.state_dict())
        network.eval()
    return course.history


def _run_epoch(
    course: _Course, lesson: Lesson, params: FitParams, resume: ResumeFolder | None
) -> None:
    rng = np.random.default_rng([params.seed, course.epoch])
    order = balanced_order(lesson.groups, lesson.shares, len(lesson.groups), rng)
    steps = max(1, len(order) // params.batch)
    total = steps * params.epochs
    saved = reported = time.monotonic()
    course.network.train()
    for step in range(course.step, steps):
        rng = np.random.default_rng([params.seed, course.epoch, step])
        batch = lesson.batch(order[step * params.batch : (step + 1) * params.batch], rng)
        began = time.monotonic()
        done = course.epoch * steps + step
        course.loss_sum += _step(course, lesson, params, batch, done, total)
        if not math.isfinite(course.loss_sum):
            raise _failed(course, step, batch, resume)
        course.step = step + 1
        now = time.monotonic()
        if resume and now - saved > params.save_every_s:
            resume.save(course.state())
            saved = now
        if now - reported > _REPORT_S:
            _progress(done + 1, total, params.batch, now - began)
            reported = now


def _step(
    course: _Course,
    lesson: Lesson,
    params: FitParams,
    batch: tuple[Tensor, ...],
    done: int,
    total: int,
) -> float:
    """One update, number `done` of `total`. Returns: the loss, which may be no number."""
    for group in course.optimiser.param_groups:
        group["lr"] = learning_rate(done, total, params)
    loss = lesson.loss(course.network, batch)
    value = float(loss.detach())
    if not math.isfinite(value):
        return value
    course.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if params.clip:
        nn.utils.clip_grad_norm_(course.network.parameters(), params.clip)
    course.optimiser.step()
    # A young average follows closely, or it would still hold the random start after a short run.
    decay = min(params.ema, (1 + done) / (10 + done))
    with torch.no_grad():
        for name, value_now in course.network.state_dict().items():
            if name in course.averaged:
                _average(course.averaged[name], value_now, decay)
    return value


def _close_epoch(course: _Course, lesson: Lesson, params: FitParams) -> dict[str, float]:
    """Validate with the weights that would be kept, write the history, go to the next epoch."""
    course.network.eval()
    live = {name: value.clone() for name, value in course.network.state_dict().items()}
    if course.averaged:
        course.network.load_state_dict(course.averaged)
    with torch.no_grad():
        found = lesson.validate(course.network)
    kept = course.network.state_dict()
    if params.patience and found.get(lesson.monitored, -math.inf) > course.best_value:
        course.best_value, course.best_epoch = found[lesson.monitored], course.epoch
        course.best = {name: value.clone() for name, value in kept.items()}
    course.network.load_state_dict(live)
    loss = course.loss_sum / max(1, course.step)
    position = (course.epoch, (course.epoch + 1) * course.step)
    course.history.append((*position, Split.TRAIN.value, "loss", loss))
    for name, value in found.items():
        course.history.append((*position, Split.VALIDATION.value, name, value))
    logger.info("epoch done", extra={"epoch": course.epoch, "loss": round(loss, 4), **found})
    course.epoch, course.step, course.loss_sum = course.epoch + 1, 0, 0.0
    return {"train_loss": loss, **{f"validation_{name}": v for name, v in found.items()}}


def _stale(course: _Course, params: FitParams) -> bool:
    return bool(
        params.patience
        and course.best_epoch >= 0
        and course.epoch - 1 - course.best_epoch >= params.patience
    )


def _copy(network: nn.Module, wanted: bool) -> dict[str, Tensor]:
    return {name: v.clone() for name, v in network.state_dict().items()} if wanted else {}


def _average(average: Tensor, now: Tensor, decay: float) -> None:
    if average.is_floating_point():
        average.lerp_(now, 1 - decay)
    else:
        average.copy_(now)


def _failed(
    course: _Course, step: int, batch: tuple[Tensor, ...], resume: ResumeFolder | None
) -> TrainingFailed:
    where = f"epoch {course.epoch}, step {step}"
    seen = f"; the batch is in {resume.write('failed_batch.pt', list(batch))}" if resume else ""
    return TrainingFailed(f"the loss is no number at {where}{seen}; lower the lr, or look for "
                          "broken pictures in that batch")  # fmt: skip


def _progress(done: int, total: int, batch: int, seconds: float) -> None:
    left_s = (total - done) * seconds
    facts = {"done": done, "of": total, "left_s": round(left_s)}
    logger.info("training", extra={**facts, "rate": round(batch / max(seconds, 1e-9), 1)})
