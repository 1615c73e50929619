"""Pictures changed by the gradient of a network: FGSM, PGD, and a patch one could print.

An attacker who holds the network's weights computes these; one who holds another network's computes
them there and hopes (transfer). All are simulated: nothing here was printed or sent to a camera.
Sources: Goodfellow et al. 2015 (FGSM); Madry et al. 2018 (PGD); Brown et al. 2017 (patch); Athalye et
al. 2018 (expectation over changes of light).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Objective = Callable[[Tensor], Tensor]
"""Network inputs [N, C, S, S] -> what the attacker wants large, [N]."""


@dataclass(frozen=True)
class PixelRange:
    """Network inputs of black and white; a grey level is a 255th of their distance."""

    black: float
    white: float

    @property
    def level(self) -> float:
        """One grey level."""
        return (self.white - self.black) / 255

    def rounded(self, inputs: Tensor) -> Tensor:
        """The nearest picture of 8 bits: what could be stored and sent."""
        levels = ((inputs - self.black) / self.level).round().clamp(0, 255)
        return levels * self.level + self.black


def fgsm(objective: Objective, inputs: Tensor, levels: float, pixels: PixelRange) -> Tensor:
    """One step of `levels` grey levels along the sign of the gradient.

    Args: inputs: float32 [N, C, S, S], a picture of 8 bits. Returns: the same shape, 8 bits again.
    """
    changed = inputs + levels * pixels.level * _gradient(objective, inputs).sign()
    return pixels.rounded(changed)


def pgd(
    objective: Objective,
    inputs: Tensor,
    levels: float,
    pixels: PixelRange,
    *,
    steps: int,
    seed: int = 0,
) -> Tensor:
    """Many small steps from a random start; no pixel moves further than `levels` grey levels.

    The step is 2.5 · levels / steps, as Madry et al. take it.
    """
    reach = levels * pixels.level
    generator = torch.Generator().manual_seed(seed)
    start = (torch.rand(inputs.shape, generator=generator) * 2 - 1) * reach
    changed = inputs + start
    for _ in range(steps):
        step = 2.5 * reach / steps * _gradient(objective, changed).sign()
        changed = inputs + (changed + step - inputs).clamp(-reach, reach)
        changed = changed.clamp(pixels.black, pixels.white)
    # Rounding may not carry a pixel out of its reach: levels are whole, and so are the pixels.
    return pixels.rounded(changed)


def patch(
    objective: Objective,
    inputs: Tensor,
    where: Tensor,
    pixels: PixelRange,
    *,
    steps: int,
    rate: float = 12.0,
    light: float = 0.2,
    seed: int = 0,
) -> Tensor:
    """Any colours inside `where`, nothing outside; each step under another light.

    Args:
        where: bool [S, S], what is covered.
        rate: grey levels a step; light: brightness of the patch, 1 - this to 1 + this, drawn each step.
    """
    mask = where.to(inputs.dtype)
    generator = torch.Generator().manual_seed(seed)
    colours = torch.full_like(inputs, (pixels.black + pixels.white) / 2)
    for _ in range(steps):
        gain = 1 + light * (2 * float(torch.rand((), generator=generator)) - 1)

        def worn(chosen: Tensor, gain: float = gain) -> Tensor:
            shown = (chosen - pixels.black) * gain + pixels.black
            shown = shown.clamp(pixels.black, pixels.white)
            return objective(inputs * (1 - mask) + shown * mask)

        colours = colours + rate * pixels.level * _gradient(worn, colours).sign()
        colours = colours.clamp(pixels.black, pixels.white)
    return pixels.rounded(inputs * (1 - mask) + colours * mask)


def _gradient(objective: Objective, inputs: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = inputs.detach().clone().requires_grad_(True)
        total = objective(leaf).sum()
        (found,) = torch.autograd.grad(total, leaf)
    return found.detach()
