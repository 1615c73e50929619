"""Weights that others published, as plain state dicts: read as data, and only if they fit."""

from pathlib import Path

from vultus.networks.embedders.embedder import Embedder
from vultus.networks.state import load_into, read_state


def read_published(embedder: Embedder, file: Path, name: str) -> None:
    """Load a state dict into the embedder; classifiers of its training are left out.

    Args: file: `.safetensors`, or what `torch.save` wrote of a state dict; name: for the message.
    Raises: BadArtifact, if it cannot be read as data, or belongs to another architecture: names
        what differs.
    """
    fresh = {
        key: value
        for key, value in embedder.state_dict().items()
        if key.partition(".")[0] in embedder.own_parts
    }
    state = {**fresh, **embedder.translated(read_state(file))}
    load_into(embedder, state, source=file, name=name)
