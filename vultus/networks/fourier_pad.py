"""Our own PAD network: a compact CNN beside a Fourier-spectrum branch.

Input: crops of the face at K scales, stacked. Pixels go through depthwise-separable blocks; the
spectrum of the luminance goes through two convolutions of its own; both meet before the classifier.
During training a second head must predict the same spectrum from the middle feature map (auxiliary
Fourier supervision, as MiniFASNet of minivision-ai has it), which teaches the pixels' half to keep
the fine structure that pooling would throw away.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.spectrum import BINS, LogSpectrum

_STEM = 24
_BLOCKS = ((48, 2), (64, 1), (96, 2), (128, 1), (128, 1), (192, 2), (192, 1), (192, 1))
"""Width and stride of the depthwise-separable blocks."""
_MIDDLE = 5
"""After how many blocks the auxiliary head reads."""
_SPECTRUM_WIDTH = 24


class FourierPad(nn.Module):
    """float32 [N, 3K, S, S], (pixel − 127.5) / 128 -> float32 [N], logit of bona fide."""

    def __init__(self, side: int, scales: int, *, dropout: float = 0.2) -> None:
        super().__init__()
        self.spectrum = LogSpectrum(side, scales)
        self.stem = _convolution(3 * scales, _STEM, 3, 2)
        blocks, width = [], _STEM
        for wider, stride in _BLOCKS:
            blocks.append(_Separable(width, wider, stride))
            width = wider
        self.blocks = nn.ModuleList(blocks)
        self.spectral = nn.Sequential(
            nn.BatchNorm2d(scales),
            _convolution(scales, _SPECTRUM_WIDTH, 3, 1),
            _convolution(_SPECTRUM_WIDTH, _SPECTRUM_WIDTH, 3, 2),
            nn.AvgPool2d(2),
            nn.Flatten(),
        )
        cells = (BINS // 4) ** 2
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * width + cells * _SPECTRUM_WIDTH, 1)
        self.auxiliary = nn.Conv2d(_BLOCKS[_MIDDLE - 1][0], scales, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Logit of bona fide; higher = more bona fide."""
        return self._classify(self._features(crops)[-1], self.spectrum(crops))

    def training_outputs(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [N], the spectrum guessed from the middle map, and the true one (both same shape).

        Both spectra are standardised per picture: the head learns their shape, not the exposure.
        """
        spectrum = self.spectrum(crops)
        maps = self._features(crops)
        guess = self.auxiliary(maps[_MIDDLE - 1])
        truth = functional.adaptive_avg_pool2d(spectrum, guess.shape[-2:])
        deviation = truth.std((2, 3), keepdim=True)
        truth = (truth - truth.mean((2, 3), keepdim=True)) / (deviation + 1e-3)
        return self._classify(maps[-1], spectrum), guess, truth

    def _features(self, crops: Tensor) -> list[Tensor]:
        current = self.stem(crops)
        maps = []
        for block in self.blocks:
            current = block(current)
            maps.append(current)
        return maps

    def _classify(self, features: Tensor, spectrum: Tensor) -> Tensor:
        mean = features.mean((2, 3))
        spread = (features.square().mean((2, 3)) - mean.square()).clamp(min=0)
        pooled = torch.cat([mean, (spread + 1e-4).sqrt(), self.spectral(spectrum)], dim=1)
        logit: Tensor = self.classifier(self.dropout(pooled))
        return logit.squeeze(1)


class _Separable(nn.Module):
    """Depthwise 3×3, pointwise, each with BatchNorm and ReLU; the input is added where it fits."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.depthwise = _convolution(inside, inside, 3, stride, inside)
        self.pointwise = _convolution(inside, outside, 1, 1)
        self.adds = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.depthwise(features))
        return out + features if self.adds else out


def _convolution(
    inside: int, outside: int, kernel: int, stride: int, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )
