"""The training loop: AdamW, warm-up and cosine, clipping, EMA, mixed precision, exact resume, DDP.

Every random choice of an epoch and a step is drawn from (seed, epoch, step, share), dropout's too, so
that a state on disk needs the position alone, and a share of a batch looks the same whichever process
works it off. A batch is cut into processes × `accumulate` shares; gradients are averaged over all.
"""

import copy
import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vultus.contracts.words import Split
from vultus.errors import TrainingFailed
from vultus.networks import ranks
from vultus.networks.allocator import keep_freed_memory
from vultus.networks.course import Course, HistoryRow
from vultus.networks.failures import check_types, explained, no_number
from vultus.networks.norm import precise_norms
from vultus.networks.precision import arithmetic_of
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices, balanced_order
from vultus.networks.schedule import FitParams, learning_rate, optimiser_for, reproducible
from vultus.networks.settling import settle

__all__ = ["HistoryRow", "Lesson", "MovableLesson", "fit"]
logger = logging.getLogger(__name__)
_REPORT_S = 5.0
_LEAST_SHARE = 2  # examples; BatchNorm has no variance of one


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
        """Tensors of these examples, augmented; on the processor, float32 and integers."""

    def still(self, indices: Indices) -> tuple[Tensor, ...]:
        """The same as they are, nothing drawn at random: what the norms are settled with."""

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Scalar to be made small: a mean over the batch, in which every trained weight takes part."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Metrics on the validation split; empty where it holds too little."""


@runtime_checkable
class MovableLesson(Protocol):
    """A lesson that validates where the network is; others are shown a copy on the processor."""

    def move(self, device: torch.device) -> None:
        """The device of the networks that it will be handed."""


@dataclass(frozen=True)
class _Plan:
    """What does not change during a training."""

    lesson: Lesson
    params: FitParams
    resume: ResumeFolder | None


class _Objective(nn.Module):
    """The loss as a module, for DistributedDataParallel watches a module's forward."""

    def __init__(self, network: nn.Module, lesson: Lesson) -> None:
        super().__init__()
        self.network = network
        self._lesson = lesson

    def forward(self, *batch: Tensor) -> Tensor:
        return self._lesson.loss(self.network, batch)


def fit(
    network: nn.Module,
    lesson: Lesson,
    params: FitParams,
    *,
    resume: ResumeFolder | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    look: Callable[[int, nn.Module], None] | None = None,
) -> list[HistoryRow]:
    """Train `network` in place; it ends on the processor, in evaluation mode, with the averaged or
    best weights. Under torchrun every process calls this alike; process 0 validates and saves.

    Args:
        resume: where the state is kept, and found again after a kill.
        on_epoch: called with the epoch and its metrics ("train_loss", "validation_…").
        look: called with the epoch and the network as it was validated, in evaluation mode.
    Returns: the history, the epochs before a resume included.
    Raises: TrainingFailed, for a loss that is no number (names epoch and step and, with `resume`, the
        file that holds the batch), memory that ran out, a batch of the wrong type; BadParameter.
    """
    plan = _Plan(lesson, params, resume)
    first = ranks.rank() == 0
    with reproducible(params):
        course = _start(network, plan)
        state = ranks.shared_state(
            resume.load() if resume and first else None, course.arithmetic.device
        )
        if state is not None:
            course.restore(state)
            logger.info("training resumed", extra={"epoch": course.epoch, "step": course.step})
        while course.epoch < params.epochs and not _stale(course, params):
            _run_epoch(course, plan)
            metrics = _close_epoch(course, plan, look)
            if resume and first:
                resume.save(course.state())
            if on_epoch and first:
                on_epoch(course.epoch - 1, metrics)
        course.finish()
    return course.history


def _start(network: nn.Module, plan: _Plan) -> Course:
    params = plan.params
    arithmetic = arithmetic_of(params.device, params.precision, ranks.local_rank())
    on_gpu = arithmetic.device.type == "cuda"
    if not on_gpu:
        keep_freed_memory()
        precise_norms(network)
    network.to(arithmetic.device)
    if isinstance(plan.lesson, MovableLesson):
        plan.lesson.move(arithmetic.device)
    objective: nn.Module = _Objective(network, plan.lesson)
    if ranks.size() > 1:
        if on_gpu:  # there is none for gloo: on processors each share is normalised by itself
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        objective = DistributedDataParallel(
            objective, device_ids=[arithmetic.device] if on_gpu else None
        )
    return Course(
        network=network,
        objective=objective,
        optimiser=optimiser_for(network, params),
        arithmetic=arithmetic,
        scaler=arithmetic.scaler(),
        averaged={n: v.clone() for n, v in network.state_dict().items()} if params.ema else {},
    )


def _run_epoch(course: Course, plan: _Plan) -> None:
    params, lesson = plan.params, plan.lesson
    rng = np.random.default_rng([params.seed, course.epoch])
    order = balanced_order(lesson.groups, lesson.shares, len(lesson.groups), rng)
    steps = max(1, len(order) // params.batch)
    _check_shares(min(len(order), params.batch), params)
    saved = reported = time.monotonic()
    course.network.train()
    for step in range(course.step, steps):
        began = time.monotonic()
        done = course.epoch * steps + step
        for group in course.optimiser.param_groups:
            group["lr"] = learning_rate(done, steps * params.epochs, params)
        chosen = order[step * params.batch : (step + 1) * params.batch]
        course.loss_sum += _step(course, plan, chosen, done)
        course.step = step + 1
        now = time.monotonic()
        if plan.resume and ranks.rank() == 0 and now - saved > params.save_every_s:
            plan.resume.save(course.state())
            saved = now
        if now - reported > _REPORT_S:
            _progress(done + 1, steps * params.epochs, params.batch, now - began)
            reported = now


def _step(course: Course, plan: _Plan, chosen: Indices, done: int) -> float:
    """One update from the examples `chosen`, number `done`. Returns: the loss over all processes."""
    params, where = plan.params, f"epoch {course.epoch}, step {course.step}"
    first = ranks.rank() * params.accumulate
    shares = np.array_split(chosen, ranks.size() * params.accumulate)
    mine = shares[first : first + params.accumulate]
    value, failed = 0.0, None
    course.optimiser.zero_grad(set_to_none=True)
    for number, share in enumerate(mine):
        place = [params.seed, course.epoch, course.step, first + number]
        torch.manual_seed(int(np.random.SeedSequence(place, spawn_key=(1,)).generate_state(1)[0]))
        batch = plan.lesson.batch(share, np.random.default_rng(place))
        check_types(batch, where)
        with explained(params, where, batch), _gathering(course, number + 1 == len(mine)):
            batch = tuple(part.to(course.arithmetic.device, non_blocking=True) for part in batch)
            with course.arithmetic.autocast():
                loss = course.objective(*batch)
            # The mean over processes of these sums is the mean over all examples.
            weight = len(share) / len(chosen)
            course.scaler.scale(loss * (weight * ranks.size())).backward()
        value += float(loss.detach()) * weight
        failed = batch if failed is None and not math.isfinite(value) else failed
    value = ranks.total(value, course.arithmetic.device)
    if not math.isfinite(value):
        raise no_number(failed or (), where, plan.resume, mine=failed is not None)
    if params.clip:
        course.scaler.unscale_(course.optimiser)
        nn.utils.clip_grad_norm_(course.network.parameters(), params.clip)
    course.scaler.step(course.optimiser)
    course.scaler.update()
    # A young average follows closely, or it would still hold the random start after a short run.
    course.average(min(params.ema, (1 + done) / (10 + done)))
    return value


def _gathering(course: Course, last: bool) -> AbstractContextManager[None]:
    """Gradients travel between processes once a batch, with its last part."""
    if last or not isinstance(course.objective, DistributedDataParallel):
        return nullcontext()
    return course.objective.no_sync()


def _close_epoch(
    course: Course, plan: _Plan, look: Callable[[int, nn.Module], None] | None
) -> dict[str, float]:
    """Validate with the weights that would be kept, write the history, go to the next epoch."""
    live, where = course.weights(), f"the validation of epoch {course.epoch}"
    if course.averaged:
        course.network.load_state_dict(course.averaged)
    with explained(plan.params, where):
        settled = settle(course.network, plan.lesson, course.arithmetic.device, plan.params.seed)
    found: dict[str, float] = {}
    if ranks.rank() == 0:
        shown = course.network
        if course.arithmetic.device.type != "cpu" and not isinstance(plan.lesson, MovableLesson):
            shown = copy.deepcopy(shown).cpu()
        with torch.no_grad(), explained(plan.params, where):
            found = plan.lesson.validate(shown)
            if look:
                look(course.epoch, shown)
    found = ranks.shared_figures(found, course.arithmetic.device)
    watched = found.get(plan.lesson.monitored, -math.inf)
    if plan.params.patience and watched > course.best_value:
        course.best_value, course.best_epoch = watched, course.epoch
        course.best = course.weights()
    # No step reads the running statistics, so that those of the kept weights may stand in both.
    course.network.load_state_dict({**live, **settled})
    if course.averaged:
        course.averaged.update(settled)
    loss = course.loss_sum / max(1, course.step)
    position = (course.epoch, (course.epoch + 1) * course.step)
    course.history.append((*position, Split.TRAIN.value, "loss", loss))
    for name, value in found.items():
        course.history.append((*position, Split.VALIDATION.value, name, value))
    logger.info("epoch done", extra={"epoch": course.epoch, "loss": round(loss, 4), **found})
    course.epoch, course.step, course.loss_sum = course.epoch + 1, 0, 0.0
    return {"train_loss": loss, **{f"validation_{name}": v for name, v in found.items()}}


def _stale(course: Course, params: FitParams) -> bool:
    return bool(
        params.patience
        and course.best_epoch >= 0
        and course.epoch - 1 - course.best_epoch >= params.patience
    )


def _check_shares(examples: int, params: FitParams) -> None:
    """Raises: TrainingFailed, where a process would be left with too little of a batch."""
    shares = ranks.size() * params.accumulate
    if shares > 1 and examples < _LEAST_SHARE * shares:
        raise TrainingFailed(
            f"a batch of {examples} cannot be shared by {ranks.size()} process(es) in "
            f"{params.accumulate} part(s) each: give train.batch={_LEAST_SHARE * shares} or more "
            "examples, fewer processes, or a smaller train.accumulate"
        )


def _progress(done: int, total: int, batch: int, seconds: float) -> None:
    left_s = (total - done) * seconds
    facts = {"done": done, "of": total, "left_s": round(left_s)}
    logger.info("training", extra={**facts, "rate": round(batch / max(seconds, 1e-9), 1)})
