"""Log-power spectra of the luminance as matrix products, which every runtime can do.

A recaptured picture carries the grid of the screen or the halftone of the print, and lacks the
fine detail of skin; both show in the spectrum whatever the face looks like (the reasoning of Li
et al., "Live face detection based on the analysis of Fourier spectra", SPIE 2004).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.errors import BadParameter
from vultus.networks.pads.layers import convolution

_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, red, green, blue
_FLOOR = 1e-3
_WIDTH = 24
BINS = 16
"""Rows and columns of the pooled spectrum."""


class _Luminance(nn.Module):
    """float32 [N, 3K, S, S] -> float32 [N, K, S, S], the mean of each taken off.

    Without its mean no bin is a thousand times another, so that float32 suffices on every runtime.
    """

    luma: Tensor

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.scales = scales
        luma = torch.tensor(_LUMA).view(1, 3, 1, 1).repeat(scales, 1, 1, 1)
        self.register_buffer("luma", luma, persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        grey = functional.conv2d(crops, self.luma, groups=self.scales)
        return grey - grey.mean((2, 3), keepdim=True)


class Spectrum(nn.Module, ABC):
    """float32 [N, 3K, S, S], values about ±1 -> float32 [N, K, 16, 16], float32 under autocast too.

    Bins differ by more than the digits of bfloat16 hold: rounded, the strong ones leak into the weak.
    """

    def forward(self, crops: Tensor) -> Tensor:
        """Spectrum of each scale's luminance."""
        if not torch.is_autocast_enabled(crops.device.type):  # an exported graph knows no autocast
            return self.of(crops)
        with torch.autocast(crops.device.type, enabled=False):
            return self.of(crops.float())

    @abstractmethod
    def of(self, crops: Tensor) -> Tensor:
        """The same, in the arithmetic of whoever calls."""


class FftSpectrum(Spectrum):
    """Power of the half plane of the orthonormal 2-D DFT.

    Mean power of blocks of bins, natural log, vertical frequency 0 in the middle row, horizontal 0
    at the left. A Hann window keeps the edges of the crop out.
    """

    vertical_cos: Tensor
    vertical_sin: Tensor
    horizontal_cos: Tensor
    horizontal_sin: Tensor

    def __init__(self, side: int, scales: int) -> None:
        super().__init__()
        _check(side)
        self.luminance = _Luminance(scales)
        self.cell = (side // BINS, side // (2 * BINS))  # bins of the half plane in one block
        places = torch.arange(side, dtype=torch.float64)
        window = 0.5 - 0.5 * torch.cos(2 * math.pi * (places + 0.5) / side)
        window = window / window.square().mean().sqrt()
        vertical = torch.arange(-(side // 2), side // 2, dtype=torch.float64)
        horizontal = torch.arange(side // 2, dtype=torch.float64)
        for name, frequencies in (("vertical", vertical), ("horizontal", horizontal)):
            angle = 2 * math.pi / side * frequencies[:, None] * places[None]
            for part, wave in (("cos", angle.cos()), ("sin", angle.sin())):
                matrix = (wave * window / math.sqrt(side)).float()
                self.register_buffer(f"{name}_{part}", matrix, persistent=False)

    def of(self, crops: Tensor) -> Tensor:
        """Four matrix products: real and imaginary part, down and across."""
        grey = self.luminance(crops)
        across_cos = grey @ self.horizontal_cos.T
        across_sin = grey @ self.horizontal_sin.T
        real = self.vertical_cos @ across_cos - self.vertical_sin @ across_sin
        imaginary = self.vertical_sin @ across_cos + self.vertical_cos @ across_sin
        power = real.square() + imaginary.square()
        return (functional.avg_pool2d(power, self.cell, self.cell) + _FLOOR).log()


class DctSpectrum(Spectrum):
    """Power of the orthonormal 2-D DCT-II.

    Mean power of blocks of bins, natural log, frequency 0 at the top left.
    The DCT goes on evenly past the edges, so that it needs no window; unlike the half plane of the
    DFT it folds falling and rising diagonals into one, and has twice the steps of frequency.
    Source: Ahmed, Natarajan and Rao, "Discrete cosine transform", IEEE Transactions on Computers
    1974.
    """

    cosines: Tensor

    def __init__(self, side: int, scales: int) -> None:
        super().__init__()
        _check(side)
        self.luminance = _Luminance(scales)
        self.cell = side // BINS
        places = torch.arange(side, dtype=torch.float64)
        cosines = torch.cos(math.pi / side * places[:, None] * (places[None] + 0.5))
        cosines = cosines * math.sqrt(2 / side)
        cosines[0] /= math.sqrt(2)
        self.register_buffer("cosines", cosines.float(), persistent=False)

    def of(self, crops: Tensor) -> Tensor:
        """Two matrix products."""
        power = (self.cosines @ self.luminance(crops) @ self.cosines.T).square()
        return (functional.avg_pool2d(power, self.cell, self.cell) + _FLOOR).log()


class SpectrumBranch(nn.Module):
    """float32 [N, K, 16, 16] -> float32 [N, width]: two convolutions over a spectrum.

    spectrum: makes it of crops; kept apart, for an auxiliary head may ask for the same.
    """

    width = (BINS // 4) ** 2 * _WIDTH

    def __init__(self, spectrum: Spectrum, scales: int) -> None:
        super().__init__()
        self.spectrum = spectrum
        self.layers = nn.Sequential(
            nn.BatchNorm2d(scales),
            convolution(scales, _WIDTH, 3, 1),
            convolution(_WIDTH, _WIDTH, 3, 2),
            nn.AvgPool2d(2),
            nn.Flatten(),
        )

    def forward(self, spectrum: Tensor) -> Tensor:
        """What a spectrum says that `self.spectrum` made of the crops."""
        said: Tensor = self.layers(spectrum)
        return said


SPECTRA: Mapping[str, Callable[[int, int], Spectrum]] = {"fft": FftSpectrum, "dct": DctSpectrum}
"""Name of a frequency branch -> its spectrum, given side and number of scales."""


def _check(side: int) -> None:
    if side % (2 * BINS):
        raise BadParameter(
            f"pad_side={side}: the spectrum needs a multiple of {2 * BINS} pixels; "
            f"set train.pad_side to {max(1, round(side / (2 * BINS))) * 2 * BINS}"
        )
