"""The torch forms of the seams: what train, evaluate and export score with."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from vultus.contracts.arrays import Boxes, Embeddings, RgbBatch, RgbImage, Scores
from vultus.contracts.transform import PanelMember, TensorParams
from vultus.errors import TransformMismatch
from vultus.faces.tensor import pad_tensor, to_tensor

_BATCH = 8  # fastest on one AVX-512 core: 23 ms a chip, 31 ms in batches of 32 (SFace)


class TorchEncoder:
    """Aligned chips -> embeddings (seam Encoder)."""

    def __init__(self, network: nn.Module, tensor: TensorParams, dimension: int) -> None:
        self._network = network.eval().to(memory_format=torch.channels_last)
        self._tensor = tensor
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self._dimension

    def encode(self, chips: RgbBatch) -> Embeddings:
        """uint8 RGB [N, S, S, 3] -> float32 [N, dimension], unit length.

        Raises: TransformMismatch, for chips of another side.
        """
        side = self._tensor.side
        if chips.shape[1:] != (side, side, 3):
            raise TransformMismatch(
                f"chips are {chips.shape[1:]}, this network takes ({side}, {side}, 3); "
                "crop the faces again for it"
            )
        out = np.empty((len(chips), self._dimension), np.float32)
        with torch.inference_mode():
            for start in range(0, len(chips), _BATCH):
                pixels = torch.from_numpy(to_tensor(chips[start : start + _BATCH], self._tensor))
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
