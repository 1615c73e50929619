"""Layers that several PAD networks share."""

from torch import nn


def convolution(
    inside: int, outside: int, kernel: int, stride: int, groups: int = 1
) -> nn.Sequential:
    """Convolution that keeps the side at stride 1, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )
