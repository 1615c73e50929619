"""The PAD networks that can be chosen: name -> backbone, joined with a frequency branch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vultus.contracts.transform import Architecture
from vultus.errors import BadArtifact, BadParameter
from vultus.networks.pads.backbone import Backbone
from vultus.networks.pads.compact import Compact
from vultus.networks.pads.imagenet import ImageNetBackbone
from vultus.networks.pads.minifasnet import MiniFas
from vultus.networks.pads.network import HybridPad
from vultus.networks.pads.spectrum import SPECTRA, SpectrumBranch
from vultus.networks.pads.xception import Xception

_SUFFIX = "-pad"
NO_FREQUENCY = "none"


@dataclass(frozen=True)
class Kind:
    """A backbone that can be chosen.

    build: given side, number of scales and, where `imagenet` names a row of the weights table, the
    file of that row or None; least_side: below it nothing of a map is left to be pooled.
    """

    build: Callable[[int, int, Path | None], Backbone]
    least_side: int
    imagenet: str | None = None


def _imagenet(name: str) -> Kind:
    def build(side: int, scales: int, weights: Path | None) -> Backbone:
        return ImageNetBackbone(name, scales, weights)

    return Kind(build, 64, f"{name}-imagenet")


ZOO: Mapping[str, Kind] = {
    "compact": Kind(lambda side, scales, _: Compact(scales), 32),
    "minifasnet": Kind(lambda side, scales, _: MiniFas(side, scales), 32),
    "mobilenet-v3-small": _imagenet("mobilenet-v3-small"),
    "mobilenet-v3-large": _imagenet("mobilenet-v3-large"),
    "efficientnet-b0": _imagenet("efficientnet-b0"),
    "xception": Kind(lambda side, scales, _: Xception(scales), 64),
}


def architecture_of(name: str, *, side: int, scales: int, frequency: str) -> Architecture:
    """What architecture.json says of a network of the zoo.

    Args: name: of ZOO; frequency: of SPECTRA, or "none".
    """
    options: dict[str, int | float | str | bool] = {
        "side": side,
        "scales": scales,
        "frequency": frequency,
    }
    return Architecture(name=name + _SUFFIX, options=options)


def build_pad(architecture: Architecture, weights: Path | None = None) -> HybridPad:
    """The network, untrained, or with the ImageNet weights of its backbone.

    Raises: BadArtifact, for an architecture that lacks an option; BadParameter, for a side that
        does not fit.
    """
    name = architecture.name.removesuffix(_SUFFIX)
    try:
        side, scales = (int(architecture.options[option]) for option in ("side", "scales"))
        frequency = str(architecture.options["frequency"])
    except KeyError as error:
        raise BadArtifact(f"architecture '{architecture.name}' lacks the option {error}") from error
    kind = ZOO[name]
    if side < kind.least_side or side % 32:
        raise BadParameter(
            f"pad_side={side} does not fit {name}: a multiple of 32 pixels, at least "
            f"{kind.least_side}; set train.pad_side, or another train.pad_network"
        )
    backbone = kind.build(side, scales, weights)
    if frequency == NO_FREQUENCY:
        return HybridPad(backbone, None)
    return HybridPad(backbone, SpectrumBranch(SPECTRA[frequency](side, scales), scales))


PAD_ARCHITECTURES = {name + _SUFFIX: build_pad for name in ZOO}
"""Name in architecture.json -> who builds it."""
