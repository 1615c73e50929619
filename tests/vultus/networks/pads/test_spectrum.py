"""The spectra by matrices are the transforms they are called after."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from vultus.errors import BadParameter
from vultus.networks.pads.spectrum import BINS, SPECTRA, DctSpectrum, FftSpectrum

SIDE = 96


def _crops(count: int, scales: int = 2) -> torch.Tensor:
    return torch.randn(count, 3 * scales, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_spectrum_equals_the_fast_fourier_transform() -> None:
    crops = _crops(3)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 1, 3, 1, 1)
    grey = (crops.view(3, 2, 3, SIDE, SIDE) * luma).sum(2)
    grey = grey - grey.mean((2, 3), keepdim=True)
    window = torch.hann_window(2 * SIDE, periodic=True)[1::2]  # samples between the pixels' edges
    window = window / window.square().mean().sqrt()
    power = torch.fft.fft2(grey * window[:, None] * window, norm="ortho").abs().square()
    half = torch.fft.fftshift(power, dim=2)[..., : SIDE // 2]
    expected = (functional.avg_pool2d(half, (6, 3)) + 1e-3).log()
    torch.testing.assert_close(FftSpectrum(SIDE, 2)(crops), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("period", [3.0, 4.0, 6.0])
def test_a_vertical_grid_peaks_at_its_frequency(period: float) -> None:
    columns = torch.arange(SIDE) * 2 * math.pi / period
    crops = columns.sin().expand(1, 3, SIDE, SIDE) * 0.3
    spectrum = FftSpectrum(SIDE, 1)(crops)[0, 0]
    row, column = divmod(int(spectrum.argmax()), BINS)
    assert row in (BINS // 2 - 1, BINS // 2)  # no vertical frequency
    assert column == int(SIDE / period) // (SIDE // 2 // BINS)


def test_spectrum_equals_the_cosine_transform_of_opencv() -> None:
    crops = _crops(2)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 1, 3, 1, 1)
    grey = (crops.view(2, 2, 3, SIDE, SIDE) * luma).sum(2)
    grey = (grey - grey.mean((2, 3), keepdim=True)).numpy()
    power = np.array([[cv2.dct(level) ** 2 for level in levels] for levels in grey])
    pooled = functional.avg_pool2d(torch.from_numpy(power), 6)
    torch.testing.assert_close(
        DctSpectrum(SIDE, 2)(crops), (pooled + 1e-3).log(), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("name", SPECTRA)
def test_spectrum_does_not_see_a_change_of_brightness(name: str) -> None:
    crops = _crops(2)
    spectrum = SPECTRA[name](SIDE, 2)
    torch.testing.assert_close(spectrum(crops + 0.4), spectrum(crops), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", SPECTRA)
def test_a_side_that_cannot_be_pooled_is_refused(name: str) -> None:
    with pytest.raises(BadParameter, match=r"pad_side=80.*multiple of 32.*pad_side to 64"):
        SPECTRA[name](80, 1)


@pytest.mark.parametrize("name", SPECTRA)
def test_half_precision_around_it_changes_nothing(name: str) -> None:
    crops = _crops(2)
    spectrum = SPECTRA[name](SIDE, 2)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = spectrum(crops)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, spectrum(crops))
