"""Weights that others published, as plain state dicts: read as data, and only if they fit."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vultus.errors import BadArtifact
from vultus.networks.embedders.embedder import Embedder
from vultus.networks.state import misfit


def read_published(embedder: Embedder, file: Path, name: str) -> None:
    """Load a state dict into the embedder; classifiers of its training are left out.

    Args: file: `.safetensors`, or what `torch.save` wrote of a state dict; name: for the message.
    Raises: BadArtifact, if it cannot be read as data, or belongs to another architecture: names
        what differs.
    """
    state = embedder.translated(_read(file))
    fresh = {
        key: value
        for key, value in embedder.state_dict().items()
        if key.partition(".")[0] in embedder.own_parts
    }
    state = {**fresh, **state}
    wrong = misfit(embedder, state)
    if wrong:
        raise BadArtifact(
            f"{file} does not fit {name}: {wrong}; choose the weights of this network"
        )
    embedder.load_state_dict(state)


def _read(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            tensors: dict[str, Tensor] = load_file(file)
            return tensors
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise BadArtifact(f"{file} cannot be read as weights: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise BadArtifact(f"{file} holds no state dict of tensors alone")
    return dict(state)
