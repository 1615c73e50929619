"""A Checkpoint as networks: the one place that knows which architecture has which name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import (
    Architecture,
    ChipWindow,
    DetectorParams,
    LivenessTransform,
    PanelMember,
    RecognitionTransform,
    TensorParams,
)
from vultus.contracts.words import Task
from vultus.errors import BadArtifact, BadParameter
from vultus.networks import resnet29, sface
from vultus.networks.adapter import AdaptedTrunk, Adapter, UnitTrunk
from vultus.networks.embedders.catalogue import EMBEDDERS, build_embedder
from vultus.networks.embedders.embedder import UnitEmbedder
from vultus.networks.encoder import TorchEncoder, TorchPadMember
from vultus.networks.frozen_pad import FrozenPad
from vultus.networks.graph import write_onnx
from vultus.networks.pads.zoo import PAD_ARCHITECTURES
from vultus.networks.state import load_into, read_state
from vultus.networks.trunk import Trunk

LITE0_FROZEN = "lite0-frozen"
OWN_MEMBER = "vultus-own"


@dataclass(frozen=True)
class Packaged:
    """A packaged embedder, named as in weights.toml.

    build: untrained; read: with the weights of the packaged file; window: see RecognitionTransform.
    """

    build: Callable[[], Trunk]
    read: Callable[[Path], Trunk]
    side: int
    dimension: int
    window: ChipWindow | None = None

    def transform(self, detector: DetectorParams) -> RecognitionTransform:
        """What lies between a picture and this trunk."""
        return RecognitionTransform(
            detector=detector,
            window=self.window,
            tensor=TensorParams(side=self.side),
            dimension=self.dimension,
        )


TRUNKS: Mapping[str, Packaged] = {
    "sface": Packaged(sface.SFace, sface.read_sface, sface.SIDE, sface.DIMENSION),
    "resnet29": Packaged(
        resnet29.ResNet29,
        resnet29.read_resnet29,
        resnet29.SIDE,
        resnet29.DIMENSION,
        resnet29.WINDOW,
    ),
}


def adapted(trunk: str) -> str:
    """The architecture of that trunk under an adapter."""
    return f"{trunk}-adapter"


def build(architecture: Architecture) -> nn.Module:
    """The network of that name, untrained.

    Raises: BadArtifact, for an unknown one; BadParameter, where its options do not fit together.
    """
    options: Mapping[str, object] = architecture.options
    for name, packaged in TRUNKS.items():
        if architecture.name == adapted(name):
            return AdaptedTrunk(packaged.build(), Adapter(int(str(options["dimension"]))))
    if architecture.name in EMBEDDERS:
        return UnitEmbedder(build_embedder(architecture.name, architecture.options))
    if architecture.name in PAD_ARCHITECTURES:
        return PAD_ARCHITECTURES[architecture.name](architecture)
    if architecture.name == LITE0_FROZEN:
        return FrozenPad()
    known = [*map(adapted, TRUNKS), *EMBEDDERS, *PAD_ARCHITECTURES, LITE0_FROZEN]
    raise BadArtifact(
        f"architecture '{architecture.name}' is not known here; this version has {', '.join(known)}"
    )


def network_from(checkpoint: Checkpoint) -> nn.Module:
    """The trained network, frozen, in evaluation mode.

    Raises: BadArtifact, if weights and architecture do not fit, naming what differs.
    """
    network = build(checkpoint.architecture)
    file = Path(checkpoint.weights_file)
    load_into(network, read_state(file), source=file, name=checkpoint.architecture.name)
    return network.eval().requires_grad_(False)


def exported_form(network: nn.Module) -> nn.Module:
    """What is written as ONNX: an adapter is multiplied into its trunk."""
    return network.merged() if isinstance(network, AdaptedTrunk) else network


def write_checkpoint(checkpoint: Checkpoint, file: Path) -> None:
    """Its network as ONNX; of a PAD panel our own member. Raises: BadArtifact, VultusError."""
    transform = checkpoint.transform
    if isinstance(transform, RecognitionTransform):
        tensor, crops, output = transform.tensor, 1, "embedding"
    else:
        own = own_member(checkpoint)
        tensor, crops, output = own.tensor, len(own.scales), "logit"
    # Two rows: the exporter would take a batch of one for a constant.
    example = torch.zeros(2, 3 * crops, tensor.side, tensor.side)
    write_onnx(exported_form(network_from(checkpoint)), example, output, file)


def write_trunk(name: str, weights: Path, file: Path) -> None:
    """A packaged trunk, untouched, as ONNX. Raises: BadArtifact, VultusError."""
    packaged = TRUNKS[name]
    network = UnitTrunk(packaged.read(weights)).eval()
    write_onnx(network, torch.zeros(2, 3, packaged.side, packaged.side), "embedding", file)


def encoder_from(checkpoint: Checkpoint) -> TorchEncoder:
    """The embedder of a recognition checkpoint. Raises: BadParameter, for a PAD one."""
    transform = checkpoint.transform
    if not isinstance(transform, RecognitionTransform):
        raise BadParameter(f"{checkpoint.path} is for {checkpoint.task}, not {Task.RECOGNITION}")
    return TorchEncoder(network_from(checkpoint), transform)


def pad_member_from(checkpoint: Checkpoint) -> TorchPadMember:
    """Our own member of a PAD checkpoint. Raises: BadParameter, for a recognition one."""
    return TorchPadMember(network_from(checkpoint), own_member(checkpoint))


def own_member(checkpoint: Checkpoint) -> PanelMember:
    """Our row of its panel. Raises: BadParameter, for recognition; BadArtifact, without such a row."""
    transform = checkpoint.transform
    if not isinstance(transform, LivenessTransform):
        raise BadParameter(f"{checkpoint.path} is for {checkpoint.task}, not {Task.LIVENESS}")
    found = next((member for member in transform.members if member.name == OWN_MEMBER), None)
    if found is None:
        raise BadArtifact(
            f"{checkpoint.path}: its panel has no member {OWN_MEMBER}; an older version named it "
            "otherwise: train again"
        )
    return found
