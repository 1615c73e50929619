"""Stored pictures as the input of a network, through the very transform it was made for."""

from collections.abc import Sequence

import numpy as np

from vultus.contracts.arrays import Tensor
from vultus.contracts.seams import Store
from vultus.contracts.transform import PanelMember, RecognitionTransform
from vultus.faces.picture import decode_image
from vultus.faces.tensor import chip_tensor, pad_tensor


def chip_inputs(chips: Sequence[str], store: Store, transform: RecognitionTransform) -> Tensor:
    """Chips, named by their sha256, float32 [N, 3, S, S]. Raises: StorageUnavailable, BadArtifact."""
    images = [decode_image(store.get(name)) for name in chips]
    return chip_tensor(np.stack(images), transform)


def crop_inputs(
    contexts: Sequence[str], boxes: Sequence[Sequence[float]], store: Store, member: PanelMember
) -> Tensor:
    """Contexts, named by their sha256, with the face's box in each, float32 [N, 3K, S, S].

    Raises: StorageUnavailable, BadArtifact.
    """
    images = [decode_image(store.get(name)) for name in contexts]
    found = np.array(boxes, np.float32)
    return pad_tensor(images, found, scales=member.scales, params=member.tensor)
