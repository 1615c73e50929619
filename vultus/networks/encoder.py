"""The torch forms of the seams: what train, evaluate and export score with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from vultus.contracts.arrays import Boxes, Embeddings, RgbBatch, RgbImage, Scores
from vultus.contracts.transform import PanelMember, RecognitionTransform
from vultus.faces.tensor import chip_tensor, pad_tensor

_BATCH = 8  # fastest on one AVX-512 core: 23 ms a chip, 31 ms in batches of 32 (SFace)


class TorchEncoder:
    """Aligned chips -> embeddings (seam Encoder)."""

    def __init__(self, network: nn.Module, transform: RecognitionTransform) -> None:
        self._network = network.eval().to(memory_format=torch.channels_last)
        self._transform = transform

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._transform.dimension

    def encode(self, chips: RgbBatch) -> Embeddings:
        """uint8 RGB [N, 112, 112, 3] -> float32 [N, dimension], unit length.

        Raises: TransformMismatch, for chips of another side.
        """
        out = np.empty((len(chips), self.dimension), np.float32)
        with torch.inference_mode():
            for start in range(0, len(chips), _BATCH):
                pixels = torch.from_numpy(
                    chip_tensor(chips[start : start + _BATCH], self._transform)
                )
                pixels = pixels.contiguous(memory_format=torch.channels_last)
                out[start : start + _BATCH] = self._network(pixels).numpy()
        return out


class TorchPadMember:
    """Our own panel member (seam PadScorer)."""

    def __init__(self, network: nn.Module, member: PanelMember) -> None:
        self._network = network.eval()
        self._member = member

    def score(self, images: Sequence[RgbImage], boxes: Boxes) -> Scores:
        """Images with the face box of each, in its own pixels -> float32 [N] in [0, 1]."""
        out = np.empty(len(images), np.float32)
        member = self._member
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                part = slice(start, start + _BATCH)
                crops = pad_tensor(
                    images[part], boxes[part], scales=member.scales, params=member.tensor
                )
                out[part] = torch.sigmoid(self._network(torch.from_numpy(crops))).numpy()
        return out
