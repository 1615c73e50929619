"""The spectrum by matrices is the FFT; the network around it behaves."""

import math

import pytest
import torch
from torch.nn import functional

from vultus.errors import BadParameter
from vultus.networks.fourier_pad import FourierPad
from vultus.networks.spectrum import BINS, LogSpectrum

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
    torch.testing.assert_close(LogSpectrum(SIDE, 2)(crops), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("period", [3.0, 4.0, 6.0])
def test_a_vertical_grid_peaks_at_its_frequency(period: float) -> None:
    columns = torch.arange(SIDE) * 2 * math.pi / period
    crops = columns.sin().expand(1, 3, SIDE, SIDE) * 0.3
    spectrum = LogSpectrum(SIDE, 1)(crops)[0, 0]
    row, column = divmod(int(spectrum.argmax()), BINS)
    assert row in (BINS // 2 - 1, BINS // 2)  # no vertical frequency
    assert column == int(SIDE / period) // (SIDE // 2 // BINS)


def test_spectrum_does_not_see_a_change_of_brightness() -> None:
    crops = _crops(2)
    spectrum = LogSpectrum(SIDE, 2)
    torch.testing.assert_close(spectrum(crops + 0.4), spectrum(crops), atol=1e-4, rtol=0)


def test_a_side_that_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(BadParameter, match="multiple of 32"):
        LogSpectrum(80, 1)


def test_the_network_is_compact() -> None:
    count = sum(parameter.numel() for parameter in FourierPad(SIDE, 2).parameters())
    assert 120_000 <= count <= 300_000


def test_a_batch_is_scored_like_its_rows() -> None:
    network = FourierPad(SIDE, 2).eval()
    crops = _crops(4)
    with torch.inference_mode():
        together = network(crops)
        alone = torch.cat([network(crops[row : row + 1]) for row in range(4)])
    assert together.shape == (4,)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_the_auxiliary_head_reaches_the_pixels_but_not_the_spectrum_branch() -> None:
    network = FourierPad(SIDE, 2)
    _, guess, truth = network.training_outputs(_crops(2))
    assert guess.shape == truth.shape
    functional.mse_loss(guess, truth).backward()
    stem, spectral = network.stem[0].weight.grad, network.spectral[1][0].weight.grad
    assert stem is not None
    assert float(stem.abs().sum()) > 0
    assert spectral is None
