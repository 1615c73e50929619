"""What a training picture might have looked like on another day: one recipe for each task.

Recognition must not mind light, camera or compression: its recipe changes all of them, in the order in
which they happen (pose, things in the way, light, lens, sensor, file).

PAD must mind them. What separates a bona fide from an attack presentation is fine structure, black
level and colour: blur, JPEG, resampling (so rotation too), gamma, strong tints and occlusion are what a
recapture does, or what hides it, and adding them would teach the network to overlook the cue. Its recipe
mirrors and changes the exposure a little, no more; the rest belongs to the simulated cameras of
`vultus.attacks`, which treat both classes alike.

Everything random comes from the generator that is handed over, which callers seed with the training's
seed, the picture (recognition) or epoch and step (PAD), and the view.
"""

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from components.train.params import ChipAugment, PadAugment
from vultus.contracts.arrays import RgbImage

_BLUR_SIGMA = (0.4, 1.6)
_JPEG_QUALITY = (30, 90)
_BLOCK = (0.15, 0.4)
"""Sides of what stands in the way, as shares of the chip."""
_BEND = 0.06
"""How far a chimera is bent at most, deviation, as a share of half a chip: 3 px of 112. A guess."""


def augmented(chip: RgbImage, strength: ChipAugment, rng: np.random.Generator) -> RgbImage:
    """What another camera, light and moment would have made of the same chip.

    Args: chip: RGB uint8 [H, W, 3].
    Returns: the same shape and type; the chip itself where every strength is 0.
    """
    image = torch.from_numpy(np.ascontiguousarray(chip.transpose(2, 0, 1)))
    if rng.random() < strength.flip:
        image = functional.horizontal_flip(image)
    if strength.rotation_deg:
        angle = float(rng.uniform(-strength.rotation_deg, strength.rotation_deg))
        image = functional.rotate(image, angle, interpolation=InterpolationMode.BILINEAR)
    if rng.random() < strength.occlusion:
        image = _occluded(image, rng)
    image = _lit(image, strength, rng)
    if rng.random() < strength.blur:
        sigma = float(rng.uniform(*_BLUR_SIGMA))
        image = functional.gaussian_blur(image, [2 * int(np.ceil(3 * sigma)) + 1] * 2, [sigma] * 2)
    if strength.noise:
        grains = rng.normal(0, rng.uniform(0, strength.noise), image.shape).astype(np.float32)
        image = (image.float() + torch.from_numpy(grains)).clamp(0, 255).to(torch.uint8)
    if rng.random() < strength.jpeg:
        image = functional.jpeg(image, int(rng.integers(*_JPEG_QUALITY)))
    return np.ascontiguousarray(image.numpy().transpose(1, 2, 0))


def relit(crops: Tensor, strength: PadAugment, rng: np.random.Generator) -> Tensor:
    """Mirror, exposure, a trace of tint and of noise; alike at every scale of one picture.

    Args: crops: float32 [N, 3K, S, S], values about ±1.
    Returns: the same in a new tensor of the same layout.
    """
    size, channels = crops.shape[:2]
    flipped = torch.from_numpy(rng.random(size) < strength.flip)
    gain = rng.uniform(1 - strength.gain, 1 + strength.gain, (size, 1))
    tint = np.tile(rng.uniform(1 - strength.tint, 1 + strength.tint, (size, 3)), channels // 3)
    offset = rng.uniform(-strength.offset, strength.offset, (size, 1))
    factor = torch.from_numpy((gain * tint).astype(np.float32))[:, :, None, None]
    shift = torch.from_numpy(offset.astype(np.float32))[:, :, None, None]
    # (crops + 1) · factor - 1 + shift, in one pass over the pixels.
    lit = torch.addcmul(factor - 1 + shift, crops, factor)
    lit[flipped] = functional.horizontal_flip(lit[flipped])
    if not strength.noise:
        return lit.clamp_(-1, 1)
    noise = rng.standard_normal(crops.shape, np.float32)
    grain = torch.from_numpy(rng.uniform(0, strength.noise, (size, 1, 1, 1)).astype(np.float32))
    return lit.addcmul_(torch.from_numpy(noise), grain).clamp_(-1, 1)


def _lit(image: Tensor, strength: ChipAugment, rng: np.random.Generator) -> Tensor:
    """Gamma, brightness, colour temperature, tint, and a light that comes from one side."""
    gamma = float(rng.uniform(1 - strength.gamma, 1 + strength.gamma))
    gain = rng.uniform(1 - strength.gain, 1 + strength.gain)
    warm = rng.uniform(-strength.temperature, strength.temperature)
    tint = rng.uniform(1 - strength.tint, 1 + strength.tint, 3)
    factor = (gain * tint * (1 + warm, 1.0, 1 - warm)).astype(np.float32)
    light: Tensor = torch.from_numpy(factor)[:, None, None]
    if strength.shade:
        light = light * _ramp(image.shape[1], image.shape[2], strength.shade, rng)
    linear = functional.adjust_gamma(functional.to_dtype(image, torch.float32, scale=True), gamma)
    lit: Tensor = (linear * light * 255).round().clamp(0, 255).to(torch.uint8)
    return lit


def _ramp(height: int, width: int, depth: float, rng: np.random.Generator) -> Tensor:
    """float32 [1, H, W]: 1 on the bright side, down to 1 - depth on the other."""
    angle = rng.uniform(0, 2 * np.pi)
    lost = float(rng.uniform(0, depth))
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    along = (np.cos(angle) * columns + np.sin(angle) * rows) / np.sqrt(2)
    return torch.from_numpy((1 - lost * (along + 1) / 2).astype(np.float32))[None]


def _occluded(image: Tensor, rng: np.random.Generator) -> Tensor:
    """A block of one colour, anywhere (a hand, a scarf, a microphone; Zhong et al., AAAI 2020)."""
    height, width = image.shape[1:]
    tall, wide = (int(rng.uniform(*_BLOCK) * side) for side in (height, width))
    top, left = int(rng.integers(0, height - tall)), int(rng.integers(0, width - wide))
    colour = torch.from_numpy(rng.integers(0, 256, (3, 1, 1), np.uint8))
    covered: Tensor = functional.erase(image, top, left, tall, wide, colour)
    return covered


def chimera(chip: RgbImage, other: RgbImage, rng: np.random.Generator) -> RgbImage:
    """A face that nobody has: two aligned chips joined along a soft line, then bent a little.

    For distillation alone, which needs no subject: the teacher says where such a face lies, and a few
    thousand people then teach more of the teacher than they are.

    Args: chip, other: RGB uint8 [H, W, 3] of one size.
    Returns: the same shape and type.
    """
    height, width = chip.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
    along = np.cos(angle) * columns + np.sin(angle) * rows - offset
    share = (0.5 + along / rng.uniform(0.15, 1.5)).clip(0, 1)[..., None]
    joined = chip * share + other * (1 - share)
    bends = rng.normal(0, rng.uniform(0, _BEND), (2, 4, 4)).astype(np.float32)
    bent = [cv2.resize(bend, (width, height), interpolation=cv2.INTER_CUBIC) for bend in bends]
    place = (columns + bent[0] + 1) * (width - 1) / 2, (rows + bent[1] + 1) * (height - 1) / 2
    seen = cv2.remap(joined, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen.round().clip(0, 255), np.uint8)
