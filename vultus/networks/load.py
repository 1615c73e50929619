"""A Checkpoint as networks: the one place that knows which architecture has which name."""

from collections.abc import Mapping

from safetensors.torch import load_file
from torch import nn

from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import Architecture, LivenessTransform, RecognitionTransform
from vultus.contracts.words import Task
from vultus.errors import BadArtifact, BadParameter
from vultus.networks.adapter import AdaptedSFace, Adapter
from vultus.networks.encoder import TorchEncoder, TorchPadMember
from vultus.networks.fourier_pad import FourierPad
from vultus.networks.sface import SFace

SFACE_ADAPTER = "sface-adapter"
FOURIER_PAD = "fourier-pad"
OWN_MEMBER = "vultus-fourier"


def build(architecture: Architecture) -> nn.Module:
    """The network of that name, untrained. Raises: BadArtifact, for an unknown one."""
    options: Mapping[str, object] = architecture.options
    if architecture.name == SFACE_ADAPTER:
        return AdaptedSFace(SFace(), Adapter(int(str(options["dimension"]))))
    if architecture.name == FOURIER_PAD:
        return FourierPad(int(str(options["side"])), int(str(options["scales"])))
    raise BadArtifact(
        f"architecture '{architecture.name}' is not known here; "
        f"this version has {SFACE_ADAPTER} and {FOURIER_PAD}"
    )


def network_from(checkpoint: Checkpoint) -> nn.Module:
    """The trained network, frozen, in evaluation mode.

    Raises: BadArtifact, if weights and architecture do not fit.
    """
    network = build(checkpoint.architecture)
    try:
        network.load_state_dict(load_file(checkpoint.weights_file))
    except (RuntimeError, KeyError) as error:
        raise BadArtifact(
            f"{checkpoint.weights_file} does not fit {checkpoint.architecture.name}: {error}"
        ) from error
    return network.eval().requires_grad_(False)


def encoder_from(checkpoint: Checkpoint) -> TorchEncoder:
    """The embedder of a recognition checkpoint. Raises: BadParameter, for a PAD one."""
    transform = checkpoint.transform
    if not isinstance(transform, RecognitionTransform):
        raise BadParameter(f"{checkpoint.path} is for {checkpoint.task}, not {Task.RECOGNITION}")
    return TorchEncoder(network_from(checkpoint), transform.tensor, transform.dimension)


def pad_member_from(checkpoint: Checkpoint) -> TorchPadMember:
    """Our own member of a PAD checkpoint. Raises: BadParameter, for a recognition one."""
    transform = checkpoint.transform
    if not isinstance(transform, LivenessTransform):
        raise BadParameter(f"{checkpoint.path} is for {checkpoint.task}, not {Task.LIVENESS}")
    own = next(member for member in transform.members if member.name == OWN_MEMBER)
    return TorchPadMember(network_from(checkpoint), own)
