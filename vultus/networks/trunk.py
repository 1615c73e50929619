"""What every packaged embedder is: pixels in, one vector out, a linear layer last."""

from torch import nn


class Trunk(nn.Module):
    """float32 [N, 3, S, S], RGB 0–255 -> float32 [N, D], not of unit length.

    dense: the last layer; an adapter is multiplied into it when the embedder is exported.
    """

    dense: nn.Linear
