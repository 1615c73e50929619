"""BatchNorm whose mean and variance are right to float32 in channels-last too.

Seen with torch 2.14: on a processor its kernel for channels-last adds up a whole column of the batch in
float32, 100,000 numbers one after another for a map of 56 x 56 and a batch of 32; that for the usual
layout adds in float64. The `edge` network has 43 norms, and at its first step the gradient was wrong by
10 % of its length, where the usual layout was wrong by 0.8 %. Here the sums are taken over parts of the
batch and joined in float64 (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
computing sample variances", 1979). The backward pass is torch's own: its sums need no more digits.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_PART = 8192
"""Numbers of one channel that are added up in float32 at once; maps with fewer are left to torch."""


class PreciseNorm(nn.BatchNorm2d):
    """The same parameters, statistics and answers in evaluation mode."""

    def forward(self, features: Tensor) -> Tensor:
        """float32 [N, C, H, W] -> the same shape and layout."""
        if not (self.training and _summed_badly(features) and self.affine):
            return super().forward(features)
        mean, variance = moments(features)
        if self.track_running_stats:
            self._remember(mean, variance, features.numel() // len(mean))
        out: Tensor = _Normalised.apply(features, self.weight, self.bias, mean, variance, self.eps)
        return out

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics as torch does; without a momentum they are plain means."""
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / (count - 1)), share)


def precise_norms(network: nn.Module) -> None:
    """Each BatchNorm2d of the network becomes a PreciseNorm, in place: it is the same object."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = PreciseNorm


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel over a batch [N, C, H, W]: [C] each, divided by the count."""
    count, height, width = len(features), *features.shape[2:]
    parts = torch.split(features.detach(), max(1, _PART // (height * width)))
    shares = torch.tensor([len(part) / count for part in parts], dtype=torch.float64)[:, None]
    found = [torch.batch_norm_update_stats(part, None, None, 0.0) for part in parts]
    means, variances = (torch.stack(each).double() for each in zip(*found, strict=True))
    mean = (shares * means).sum(0)
    variance = (shares * (variances + (means - mean).square())).sum(0)
    return mean.to(features.dtype), variance.to(features.dtype)


class _Normalised(torch.autograd.Function):
    """(x - mean) / deviation · weight + bias; its slope minds that mean and variance are of x."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        epsilon: float,
    ) -> Tensor:
        ctx.save_for_backward(features, weight, mean, (variance + epsilon).rsqrt())
        ctx.epsilon = epsilon
        return functional.batch_norm(features, mean, variance, weight, bias, False, 0.0, epsilon)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, narrow = ctx.saved_tensors
        slopes = torch.ops.aten.native_batch_norm_backward(
            slope, features, weight, None, None, mean, narrow, True, ctx.epsilon,
            [bool(needed) for needed in ctx.needs_input_grad[:3]],
        )  # fmt: skip
        return (*slopes, None, None, None)


def _summed_badly(features: Tensor) -> bool:
    """Whether torch would add up this map's channels in one long float32 sum."""
    return (
        features.device.type == "cpu"
        and features.dtype is torch.float32
        and features.is_contiguous(memory_format=torch.channels_last)
        and not features.is_contiguous()
        and features.numel() // features.shape[1] > _PART
    )
