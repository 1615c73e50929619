"""The log-magnitude spectrum of the luminance as matrix products, which every runtime can do.

A recaptured picture carries the grid of the screen or the halftone of the print, and lacks the
fine detail of skin; both show in the spectrum whatever the face looks like (the reasoning of Li
et al., "Live face detection based on the analysis of Fourier spectra", SPIE 2004).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.errors import BadParameter

_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, red, green, blue
_FLOOR = 1e-3
BINS = 16
"""Rows and columns of the pooled spectrum."""


class LogSpectrum(nn.Module):
    """float32 [N, 3K, S, S], values about ±1 -> float32 [N, K, 16, 16].

    Mean power of blocks of the half plane of the orthonormal 2-D DFT, natural log, vertical
    frequency 0 in the middle row, horizontal 0 at the left. A Hann window keeps the edges of the
    crop out; the mean is taken off first, so that no bin is a thousand times another and float32
    suffices on every runtime.
    """

    def __init__(self, side: int, scales: int) -> None:
        super().__init__()
        if side % (2 * BINS):
            raise BadParameter(f"side {side}: the spectrum needs a multiple of {2 * BINS} pixels")
        self.scales = scales
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
        luma = torch.tensor(_LUMA).view(1, 3, 1, 1).repeat(scales, 1, 1, 1)
        self.register_buffer("luma", luma, persistent=False)

    vertical_cos: Tensor
    vertical_sin: Tensor
    horizontal_cos: Tensor
    horizontal_sin: Tensor
    luma: Tensor

    def forward(self, crops: Tensor) -> Tensor:
        """Spectrum of each scale's luminance."""
        grey = functional.conv2d(crops, self.luma, groups=self.scales)
        grey = grey - grey.mean((2, 3), keepdim=True)
        across_cos = grey @ self.horizontal_cos.T
        across_sin = grey @ self.horizontal_sin.T
        real = self.vertical_cos @ across_cos - self.vertical_sin @ across_sin
        imaginary = self.vertical_sin @ across_cos + self.vertical_cos @ across_sin
        power = real.square() + imaginary.square()
        pooled = functional.avg_pool2d(power, self.cell, self.cell)
        return (pooled + _FLOOR).log()
