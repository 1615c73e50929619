"""The processes that train together, as torchrun names them in the environment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from vultus.errors import BadParameter

_PATIENCE = timedelta(hours=1)
"""How long the others wait for process 0 to validate, or for a machine that is slow to start."""


@dataclass(frozen=True)
class World:
    """One process among `size`; `local_` counts those of the same machine."""

    rank: int
    size: int
    local_rank: int
    local_size: int

    @property
    def first(self) -> bool:
        """Whether this is the one that validates, tracks and writes."""
        return self.rank == 0


ALONE = World(0, 1, 0, 1)


def world_of(environment: Mapping[str, str]) -> World:
    """What torchrun says, or ALONE without it. Raises: BadParameter, where it says half of it."""
    if "WORLD_SIZE" not in environment:
        return ALONE
    try:
        size = int(environment["WORLD_SIZE"])
        rank, local_rank = int(environment["RANK"]), int(environment["LOCAL_RANK"])
        return World(rank, size, local_rank, int(environment.get("LOCAL_WORLD_SIZE", "1")))
    except (KeyError, ValueError) as error:
        raise BadParameter(
            f"WORLD_SIZE is set, but RANK and LOCAL_RANK make no process of it ({error}): start the "
            "training with torchrun, or unset WORLD_SIZE"
        ) from error


@contextmanager
def joined(world: World, device: str) -> Iterator[None]:
    """Meet the other processes: NCCL between GPUs, gloo between processors. Alone: nothing.

    Raises: BadParameter, where the device is not there.
    """
    if world.size == 1:
        yield
        return
    import torch
    from torch import distributed

    from vultus.networks.precision import arithmetic_of

    place = arithmetic_of(device, "float32", world.local_rank).device
    on_gpu = place.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield
        distributed.barrier()  # nobody leaves, and ends the job, while process 0 still writes
    finally:
        distributed.destroy_process_group()
