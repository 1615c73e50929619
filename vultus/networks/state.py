"""Weights as plain tensors, and into a network: read as data alone, and only if they fit."""

import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vultus.errors import BadArtifact

_NESTED = ("state_dict", "model_state_dict", "model", "net")
_PARALLEL = "module."
_NAMED = 3
"""As many names are given of each kind; a large network has hundreds."""
_KNOWN = (
    ("mobilenet-v3 of torchvision", ("features.0.0.weight", "classifier.3.weight")),
    ("efficientnet of torchvision", ("features.0.0.weight", "classifier.1.weight")),
    ("InceptionResnetV1 of facenet-pytorch", ("conv2d_1a.conv.weight", "last_linear.weight")),
    ("MiniFASNet of Silent-Face-Anti-Spoofing", ("conv1.conv.weight", "conv_6_dw.conv.weight")),
    ("an IResNet of insightface", ("layer1.0.bn1.weight", "features.weight", "prelu.weight")),
    ("a ResNet of torchvision", ("conv1.weight", "layer1.0.conv1.weight", "fc.weight")),
    ("VGG16 of torchvision", ("features.0.weight", "classifier.6.weight")),
    ("SFace of this project", ("body.0.conv.weight", "dense.weight")),
)
"""Names that only one architecture has together, the narrower ones first."""


def read_state(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors or a torch file, by name, on the CPU.

    A torch file may hold its state dict below a usual key; the `module.` of a network that was
    trained in parallel is taken off.

    Raises: BadArtifact, if the file holds anything but tensors and plain values: code in it is
        refused, not run.
    """
    try:
        if file.suffix == ".safetensors":
            tensors: dict[str, Tensor] = load_file(file)
            return tensors
        found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        first = str(error).strip().splitlines()[0]
        raise BadArtifact(
            f"{file} cannot be read as weights: {first}; code in such a file is never run: ask for "
            "the state dict alone, best as safetensors"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as error:
        raise BadArtifact(f"{file} cannot be read as weights: {error}; fetch it again") from error
    for name in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping):
        raise BadArtifact(f"{file} holds a {type(found).__name__}, not a state dict")
    state = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    if not state:
        raise BadArtifact(f"{file} holds no tensor")
    if all(name.startswith(_PARALLEL) for name in state):
        state = {name.removeprefix(_PARALLEL): value for name, value in state.items()}
    return state


def load_into(
    network: nn.Module,
    state: Mapping[str, Tensor],
    *,
    source: Path | str = "the state dict",
    name: str = "",
    prefix: str = "",
    ignore: Iterable[str] = (),
) -> None:
    """Put the weights into the network; nothing is put where something does not fit.

    Args:
        network: gets the values, in its own dtype.
        source, name: of weights and network, for the message.
        prefix: only names that begin with it are meant; it is taken off.
        ignore: beginnings of names that may be missing, left over or of another shape, such as
            "classifier.": the network keeps its own values there.
    Raises: BadArtifact, naming what differs and whose weights these seem to be.
    """
    left_out = tuple(ignore)
    own = network.state_dict()
    given = {
        key.removeprefix(prefix): value
        for key, value in state.items()
        if key.startswith(prefix) and not key.removeprefix(prefix).startswith(left_out)
    }
    kept = {key: value for key, value in own.items() if key.startswith(left_out)}
    wrong = misfit(network, {**kept, **given})
    if wrong:
        raise BadArtifact(
            f"{source} does not fit {name or type(network).__name__}: {wrong}. These seem to be the "
            f"weights of {whose(state)}; choose that architecture, or other weights"
        )
    network.load_state_dict({**kept, **given})


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


def whose(state: Mapping[str, Tensor]) -> str:
    """The architecture that has tensors of these names; "an unknown architecture" for others."""
    names = set(state)
    return next(
        (known for known, telling in _KNOWN if names.issuperset(telling)),
        "an unknown architecture",
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])
