"""PAD networks of others that can be members of a panel: where they lie and what they are fed."""

from pathlib import Path

from vultus.baselines.deepface import NAME as FASNET
from vultus.baselines.deepface import fasnet_member, locate_fasnet
from vultus.contracts.artifact import sha256_of
from vultus.contracts.transform import PanelMember, TensorParams
from vultus.contracts.words import Evidence
from vultus.weights import entries, locate

PUBLISHED_MEMBERS = (FASNET, "npm-liveness")
"""The better one first."""
ANY_ROOM = 1e9
THRESHOLD = 0.5
"""The operating point that both were published with."""


def locate_published(name: str, weights: Path) -> Path:
    """The verified ONNX. Raises: WeightsUnavailable."""
    return locate_fasnet(weights) if name == FASNET else locate(name, weights)


def published_member(
    name: str, file: Path, place: str, *, room_min: float, threshold: float = THRESHOLD
) -> PanelMember:
    """Its row of `transform.json`.

    Args:
        file: what `locate_published` gave; place: where it will lie in the artifact.
        room_min: from this room on it speaks.
    """
    if name == FASNET:
        return fasnet_member(file, place, room_min=room_min, threshold=threshold)
    row = entries()[name]
    return PanelMember(
        name=name,
        file=place,
        sha256=sha256_of(file),
        tensor=TensorParams(side=128, order="bgr"),
        scales=(2.7,),
        room_min=room_min,
        room_max=ANY_ROOM,
        evidence=Evidence.REAL,
        output="softmax0",
        threshold=threshold,
        training_data=row.training_data,
        licence=row.licence,
    )
