"""Weights of others as plain tensors, and into a network: read as data only, never as code."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vultus.errors import BadArtifact

_NESTED = ("state_dict", "model_state_dict", "model", "net")
_PARALLEL = "module."
_SHOWN = 4
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
            f"{file} holds more than tensors and is not loaded, for its code would run: {first}; "
            "ask for the state dict alone, best as safetensors"
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
    module: nn.Module,
    state: Mapping[str, Tensor],
    *,
    prefix: str = "",
    ignore: Iterable[str] = (),
) -> None:
    """Put the weights into the module; nothing is put where something does not fit.

    Args:
        module: gets the values, in its own dtype.
        prefix: only names that begin with it are meant; it is taken off.
        ignore: beginnings of names that may be missing, left over or of another shape, such as
            "classifier.": the module keeps its own values there.
    Raises: BadArtifact, naming what is missing, left over and of another shape, and whose weights
        these seem to be.
    """
    left_out = tuple(ignore)
    given = {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
    own = module.state_dict()
    meant = {name for name in {*own, *given} if not (left_out and name.startswith(left_out))}
    faults = {
        "missing": sorted(name for name in meant if name not in given),
        "unexpected": sorted(name for name in meant if name not in own),
        "of another shape": [
            f"{name} {list(given[name].shape)} instead of {list(own[name].shape)}"
            for name in sorted(meant)
            if name in given and name in own and given[name].shape != own[name].shape
        ],
    }
    if any(faults.values()):
        said = "; ".join(f"{kind}: {_some(names)}" for kind, names in faults.items() if names)
        raise BadArtifact(
            f"these are not the weights of {type(module).__name__}: {said}. They seem to be those "
            f"of {whose(state)}; choose that architecture, or other weights"
        )
    module.load_state_dict({**own, **{name: given[name] for name in meant}})


def whose(state: Mapping[str, Tensor]) -> str:
    """The architecture that has tensors of these names; "an unknown architecture" for others."""
    names = set(state)
    return next(
        (known for known, telling in _KNOWN if names.issuperset(telling)),
        "an unknown architecture",
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
