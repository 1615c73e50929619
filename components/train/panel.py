"""The PAD panel: our own member, and the fixed one that was trained on real attacks."""

import logging
import shutil
from pathlib import Path

from components.train.params import TrainParams
from vultus.baselines.published import (
    ANY_ROOM,
    PUBLISHED_MEMBERS,
    locate_published,
    published_member,
)
from vultus.contracts.transform import LivenessTransform, PanelMember, TensorParams
from vultus.contracts.words import Evidence
from vultus.errors import WeightsUnavailable
from vultus.networks.load import OWN_MEMBER

logger = logging.getLogger(__name__)


def fixed_member(params: TrainParams, weights: Path) -> tuple[str, Path] | None:
    """Name and ONNX file of the member for pictures with room; None = ours alone decides.

    Raises: WeightsUnavailable, if the Param names one that cannot be had.
    """
    if params.pad_member == "own":
        return None
    if params.pad_member != "auto":
        return params.pad_member, locate_published(params.pad_member, weights)
    for name in PUBLISHED_MEMBERS:
        try:
            return name, locate_published(name, weights)
        except WeightsUnavailable as error:
            logger.warning("panel member not to be had", extra={"member": name, "why": str(error)})
    return None


def tensor_params(params: TrainParams) -> TensorParams:
    """What our own member is fed."""
    return TensorParams(side=params.pad_side, mean=127.5, scale=1 / 128)


def transform_of(
    params: TrainParams, fixed: tuple[str, Path] | None, own_sha256: str
) -> LivenessTransform:
    """Members with disjoint rooms: the fixed one from `room_min` on, ours below; alone, everywhere.

    Args: own_sha256: of the safetensors; `export` puts the ONNX file's in its place.
    """
    own = PanelMember(
        name=OWN_MEMBER,
        file=f"{OWN_MEMBER}.onnx",
        sha256=own_sha256,
        tensor=tensor_params(params),
        scales=params.pad_scales,
        room_min=0.0,
        room_max=ANY_ROOM if fixed is None else params.room_min,
        evidence=Evidence.SIMULATED,
        output="logit",
        training_data=("begun with ImageNet-1k; " if params.pad_pretrained else "")
        + "the train split of this run; attack presentations simulated",
        licence="Apache-2.0",
    )
    if fixed is None:
        return LivenessTransform(detector=params.detector, members=(own,))
    name, file = fixed
    other = published_member(
        name,
        file,
        _place(name),
        room_min=params.room_min,
        threshold=params.pad_member_threshold,
    )
    return LivenessTransform(detector=params.detector, members=(own, other))


def copy_member(fixed: tuple[str, Path], folder: Path) -> None:
    """Put the fixed member's network where `transform_of` says it lies."""
    name, file = fixed
    target = folder / _place(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _place(name: str) -> str:
    return f"members/{name}.onnx"
