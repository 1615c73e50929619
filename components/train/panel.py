"""The PAD panel: our own member, and the fixed one that was trained on real attacks."""

import logging
import shutil
from pathlib import Path

from components.train.params import TrainParams
from vultus.baselines.deepface import NAME as FASNET
from vultus.baselines.deepface import fasnet_member, locate_fasnet
from vultus.contracts.artifact import sha256_of
from vultus.contracts.transform import LivenessTransform, PanelMember, TensorParams
from vultus.contracts.words import Evidence
from vultus.errors import WeightsUnavailable
from vultus.networks.load import OWN_MEMBER
from vultus.weights import entries, locate

logger = logging.getLogger(__name__)
ANY_ROOM = 1e9
_PREFERRED = (FASNET, "npm-liveness")


def fixed_member(params: TrainParams, weights: Path) -> tuple[str, Path] | None:
    """Name and ONNX file of the member for pictures with room; None = ours alone decides.

    Raises: WeightsUnavailable, if the Param names one that cannot be had.
    """
    if params.pad_member == "own":
        return None
    if params.pad_member != "auto":
        return params.pad_member, _file(params.pad_member, weights)
    for name in _PREFERRED:
        try:
            return name, _file(name, weights)
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
    others = [] if fixed is None else [_member(*fixed, params)]
    return LivenessTransform(detector=params.detector, members=(own, *others))


def copy_member(fixed: tuple[str, Path], folder: Path) -> None:
    """Put the fixed member's network where `transform_of` says it lies."""
    name, file = fixed
    target = folder / _place(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _place(name: str) -> str:
    return f"members/{name}.onnx"


def _member(name: str, file: Path, params: TrainParams) -> PanelMember:
    if name == FASNET:
        return fasnet_member(
            file,
            _place(name),
            room_min=params.room_min,
            threshold=params.pad_member_threshold,
        )
    row = entries()[name]
    return PanelMember(
        name=name,
        file=_place(name),
        sha256=sha256_of(file),
        tensor=TensorParams(side=128, order="bgr"),
        scales=(2.7,),
        room_min=params.room_min,
        room_max=ANY_ROOM,
        evidence=Evidence.REAL,
        output="softmax0",
        threshold=params.pad_member_threshold,
        training_data=row.training_data,
        licence=row.licence,
    )


def _file(name: str, weights: Path) -> Path:
    """The verified ONNX. Raises: WeightsUnavailable."""
    return locate_fasnet(weights) if name == FASNET else locate(name, weights)
