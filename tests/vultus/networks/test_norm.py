"""A BatchNorm that adds up with more care, and differs from torch's in nothing else."""

import copy

import pytest
import torch
from torch import Tensor, nn

from vultus.networks.norm import PreciseNorm, _Normalised, moments, precise_norms


def _map(*shape: int, seed: int = 0) -> Tensor:
    """Float32, channels last, far from zero as maps behind a ReLU are."""
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.1 + 3
    return drawn.contiguous(memory_format=torch.channels_last)


def test_moments_are_those_of_float64_where_torchs_are_not() -> None:
    features = _map(32, 8, 56, 56)
    variance, mean = torch.var_mean(features.double(), (0, 2, 3), unbiased=False)
    ours, _ = moments(features)
    theirs, _ = torch.batch_norm_update_stats(features, None, None, 0.0)
    wrong = [float((each.double() - mean).abs().max()) for each in (ours, theirs)]
    assert wrong[0] < 1e-6 * 3  # of the mean
    assert wrong[1] > 10 * wrong[0], "torch sums with care now: the module has no purpose left"
    torch.testing.assert_close(moments(features)[1].double(), variance, rtol=1e-5, atol=0)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_it_is_torchs_norm_in_float64(momentum: float | None) -> None:
    features = _map(8, 3, 40, 40)
    norm = nn.BatchNorm2d(3, momentum=momentum)
    nn.init.uniform_(norm.weight), nn.init.uniform_(norm.bias)
    exact, precise = copy.deepcopy(norm).double(), copy.deepcopy(norm)
    precise_norms(precise)
    assert type(precise) is PreciseNorm
    for turn in range(2):
        x, y = (
            each.detach().requires_grad_() for each in (features + turn, features.double() + turn)
        )
        found, wanted = precise(x), exact(y)
        weight = torch.linspace(-1, 1, found.numel()).view_as(found)
        (found * weight).sum().backward()
        (wanted * weight.double()).sum().backward()
        torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4)
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert x.grad is not None
        assert y.grad is not None
        torch.testing.assert_close(x.grad.double(), y.grad, rtol=1e-3, atol=1e-3)
    for name, value in precise.state_dict().items():
        torch.testing.assert_close(
            value.double(), exact.state_dict()[name].double(), rtol=1e-5, atol=1e-5
        )


def test_its_slopes_are_right() -> None:
    drawn = torch.Generator().manual_seed(1)
    x, weight, bias = (
        torch.randn(*shape, generator=drawn, dtype=torch.float64).requires_grad_()
        for shape in ((3, 2, 2, 3), (2,), (2,))
    )

    def whole(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out: Tensor = _Normalised.apply(x, weight, bias, *moments(x), 1e-5)
        return out

    assert torch.autograd.gradcheck(whole, (x, weight, bias))


def test_a_network_keeps_its_names_and_what_it_says() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    before, pictures = list(network.state_dict()), _map(4, 3, 64, 64)
    network(pictures)
    network.eval()
    said = network(pictures)
    precise_norms(network)
    assert list(network.state_dict()) == before
    assert torch.equal(network(pictures), said)
