"""What every PAD backbone is: crops in, a middle map and one vector out."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Features(NamedTuple):
    """float32: the map that auxiliary heads read [N, C, h, w], and the pooled vector [N, D]."""

    middle: Tensor
    pooled: Tensor


class Backbone(nn.Module):
    """float32 [N, 3K, S, S], (pixel − 127.5) / 128, RGB of K scales -> Features.

    middle_width: C of the middle map; pooled_width: D.
    """

    middle_width: int
    pooled_width: int


def mean_and_spread(features: Tensor) -> Tensor:
    """Mean and standard deviation over the map: float32 [N, C, h, w] -> [N, 2C].

    The spread says how unevenly a texture lies on the face, which a mean alone forgets.
    """
    features = features.float()  # squares leave the range of float16
    mean = features.mean((2, 3))
    spread = (features.square().mean((2, 3)) - mean.square()).clamp(min=0)
    return torch.cat([mean, (spread + 1e-4).sqrt()], dim=1)
