"""Do these weights fit this network? Said in a sentence, not in a page."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

_NAMED = 3
"""As many names are given of each kind; a large network has hundreds."""


def misfit(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    """What differs between the weights a network has and those it is offered; empty if nothing."""
    own = network.state_dict()
    missing = [name for name in own if name not in state]
    strange = [name for name in state if name not in own]
    bent = [
        f"{name} is {list(state[name].shape)}, not {list(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    kinds = ((missing, "missing"), (strange, "not of this network"), (bent, "of another shape"))
    return "; ".join(f"{len(names)} {kind}: {_some(names)}" for names, kind in kinds if names)


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])
