"""torchvision's MobileNetV3 and EfficientNet-B0 as PAD backbones, from scratch or from ImageNet.

Sources: Howard et al., "Searching for MobileNetV3", ICCV 2019; Tan and Le, "EfficientNet", ICML
2019; torchvision's implementations and weights. torchvision is imported where one is built.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from vultus.networks.pads.backbone import Backbone, Features, mean_and_spread
from vultus.networks.state import load_into, read_state

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's pixels as shares of 255, red, green, blue: what the weights were trained on."""


@dataclass(frozen=True)
class _Shape:
    """Of one of torchvision's networks."""

    function: str  # in torchvision.models
    middle: int  # the last of the layers that lead to the middle map, at 1/16 of the side
    middle_width: int
    last_width: int
    settings: dict[str, Callable[[int], nn.Module]]


_NORM = {"norm_layer": partial(nn.BatchNorm2d, eps=1e-3, momentum=0.1)}
# torchvision's MobileNets keep 0.99 of their running statistics a step: after the few hundred steps
# of a PAD training these would still be those of the start. Epsilon is as published.
_SHAPES = {
    "mobilenet-v3-small": _Shape("mobilenet_v3_small", 8, 48, 576, {**_NORM}),
    "mobilenet-v3-large": _Shape("mobilenet_v3_large", 12, 112, 960, {**_NORM}),
    "efficientnet-b0": _Shape("efficientnet_b0", 5, 112, 1280, {}),
}


class ImageNetBackbone(Backbone):
    """All convolutions of one of torchvision's networks, its first one widened to 3K channels."""

    scale: Tensor
    shift: Tensor

    def __init__(self, name: str, scales: int, weights: Path | None = None) -> None:
        """Args: name: of the architecture; weights: torchvision's file for it, None = from scratch.

        Raises: BadArtifact, for a file of another network, naming what differs.
        """
        super().__init__()
        from torchvision import models

        shape = _SHAPES[name]
        whole = getattr(models, shape.function)(weights=None, **shape.settings)
        if weights is not None:
            state = read_state(weights)
            load_into(whole, state, source=weights, name=name, ignore=("classifier.",))
        layers = whole.features
        layers[0][0] = _widened(layers[0][0], scales)
        self.early = layers[: shape.middle + 1]
        self.late = layers[shape.middle + 1 :]
        self.middle_width = shape.middle_width
        self.pooled_width = 2 * shape.last_width
        mean, deviation = (torch.tensor(v).repeat(scales) for v in (_MEAN, _DEVIATION))
        factor, offset = 128 / 255 / deviation, (127.5 / 255 - mean) / deviation
        self.register_buffer("scale", factor.view(1, -1, 1, 1), persistent=False)
        self.register_buffer("shift", offset.view(1, -1, 1, 1), persistent=False)

    def forward(self, crops: Tensor) -> Features:
        """The map at a sixteenth of the side, and the last one pooled."""
        middle = self.early(crops * self.scale + self.shift)
        return Features(middle, mean_and_spread(self.late(middle)))


def _widened(narrow: nn.Conv2d, scales: int) -> nn.Conv2d:
    """Each scale gets the same kernels at a share of their strength: the answer to K equal crops is
    what the narrow layer said to one."""
    wide = nn.Conv2d(3 * scales, narrow.out_channels, 3, stride=2, padding=1, bias=False)
    with torch.no_grad():
        wide.weight.copy_(narrow.weight.repeat(1, scales, 1, 1) / scales)
    return wide
