"""Xception as a PAD backbone, 20.8 million parameters.

Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017,
figure 5. Separable convolutions have no activation between their two halves; the first two
convolutions are unpadded, as in the author's own code.
"""

from itertools import pairwise

from torch import Tensor, nn

from vultus.networks.pads.backbone import Backbone, Features, mean_and_spread

_MIDDLE_WIDTH = 728
_MIDDLE_BLOCKS = 8
_LAST = 2048


class Xception(Backbone):
    """Entry, middle and exit flow; the middle map has a sixteenth of the side."""

    middle_width = _MIDDLE_WIDTH
    pooled_width = 2 * _LAST

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            nn.Conv2d(3 * scales, 32, 3, 2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            _Block((64, 128, 128), stride=2, bent_first=False),
            _Block((128, 256, 256), stride=2),
            _Block((256, _MIDDLE_WIDTH, _MIDDLE_WIDTH), stride=2),
        )
        self.middle = nn.Sequential(
            *(_Block((_MIDDLE_WIDTH,) * 4, stride=1) for _ in range(_MIDDLE_BLOCKS))
        )
        self.exit = nn.Sequential(
            _Block((_MIDDLE_WIDTH, _MIDDLE_WIDTH, 1024), stride=2),
            *_separable(1024, 1536),
            nn.ReLU(inplace=True),
            *_separable(1536, _LAST),
            nn.ReLU(inplace=True),
        )

    def forward(self, crops: Tensor) -> Features:
        """The map after the middle flow, and the last one pooled."""
        middle = self.middle(self.entry(crops))
        return Features(middle, mean_and_spread(self.exit(middle)))


class _Block(nn.Module):
    """Separable convolutions with a ReLU before each, beside a shortcut.

    widths: of the input and after each convolution; stride 2 ends in a maximum over 3 × 3, and its
    shortcut is a strided 1 × 1 convolution.
    """

    def __init__(self, widths: tuple[int, ...], *, stride: int, bent_first: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, (inside, outside) in enumerate(pairwise(widths)):
            if place or bent_first:
                layers.append(nn.ReLU())  # not in place: the shortcut reads the same map
            layers += _separable(inside, outside)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            layers.append(nn.MaxPool2d(3, stride, 1))
            self.shortcut = nn.Sequential(
                nn.Conv2d(widths[0], widths[-1], 1, stride, bias=False),
                nn.BatchNorm2d(widths[-1]),
            )
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.body(features) + self.shortcut(features)
        return out


def _separable(inside: int, outside: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False),
        nn.Conv2d(inside, outside, 1, bias=False),
        nn.BatchNorm2d(outside),
    ]
