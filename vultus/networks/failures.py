"""What stops a training, said so that somebody can act on it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from vultus.errors import TrainingFailed
from vultus.networks.resume import ResumeFolder
from vultus.networks.schedule import FitParams

_TYPES = re.compile(r"same dtype|should be the same|expected scalar type|same data ?type", re.I)
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory", re.I)


@contextmanager
def explained(params: FitParams, where: str, batch: Sequence[Tensor] = ()) -> Iterator[None]:
    """Turn torch's words on memory and types into advice; other errors pass unchanged.

    Raises: TrainingFailed.
    """
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if isinstance(error, torch.OutOfMemoryError) or _NO_MEMORY.search(str(error)):
            raise TrainingFailed(_memory_advice(params, where, batch)) from error
        if _TYPES.search(str(error)):
            raise TrainingFailed(
                f"the network cannot take the batch at {where}: it holds {_described(batch)} "
                f"({error}); a lesson hands pixels over as float32"
            ) from error
        raise


def check_types(batch: Sequence[Tensor], where: str) -> None:
    """float32 and integers only. Raises: TrainingFailed: float64 would train unnoticed, and slowly."""
    wrong = [t for t in batch if t.is_complex() or (t.is_floating_point() and t.itemsize != 4)]
    if wrong or not batch:
        raise TrainingFailed(
            f"the batch at {where} holds {_described(batch)}; a lesson hands over float32, and "
            "integers for labels: convert it there"
        )


def no_number(
    batch: Sequence[Tensor], where: str, resume: ResumeFolder | None, *, mine: bool
) -> TrainingFailed:
    """A loss that is no number; the batch is kept for a look where `mine` says it was this one."""
    seen = "; the batch is with another process"
    if mine:
        kept = [tensor.cpu() for tensor in batch]
        seen = f"; the batch is in {resume.write('failed_batch.pt', kept)}" if resume else ""
    return TrainingFailed(f"the loss is no number at {where}{seen}; lower the lr, or look for "
                          "broken pictures in that batch")  # fmt: skip


def _memory_advice(params: FitParams, where: str, batch: Sequence[Tensor]) -> str:
    parts = params.accumulate
    held = f", {_described(batch)} at a time" if batch else ""
    return (
        f"memory ran out on {params.device} at {where} with a batch of {params.batch} in {parts} "
        f"part(s){held}: set train.accumulate={2 * parts} (the same batch, half of it at a time), "
        f"or train.batch={max(2, params.batch // 2)}, or a smaller "
        "network (recognition: train.network_options, liveness: train.pad_side)"
    )


def _described(batch: Sequence[Tensor]) -> str:
    shapes = [f"{str(t.dtype).removeprefix('torch.')} {list(t.shape)}" for t in batch]
    return ", ".join(shapes) or "nothing"
