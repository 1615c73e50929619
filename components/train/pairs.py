"""How well a recogniser tells validation faces apart, and which pairs it nearly mixes up."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from components.train.subjects import pairs_of
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.metrics import auc, equal_error_rate
from vultus.networks.sampling import Indices

WATCHED = 1000
"""Validation faces that are compared after every epoch, at most: half a million pairs."""


class PairLesson(ABC):
    """What every lesson of recognition shares: it is judged by all pairs of its validation faces."""

    monitored = "auc"

    def __init__(self, subjects: Indices, picture: Callable[[int], RgbImage]) -> None:
        """Args: subjects: int64 [V], of the validation faces; picture: the chip of one of them."""
        self._rows, self._columns, self._mated = pairs_of(subjects)
        self._picture = picture
        self._scores: NDArray[np.float32] | None = None

    @property
    def judged(self) -> bool:
        """Whether the validation faces have both kinds of pair."""
        return bool(self._mated.any() and not self._mated.all())

    @abstractmethod
    def vectors(self, network: nn.Module) -> Embeddings:
        """The validation faces as `network` sees them: float32 [V, D], unit length."""

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """The network of a lesson of recognition is its own loss."""
        loss: Tensor = network(*batch)
        return loss

    def validate(self, network: nn.Module) -> dict[str, float]:
        """AUC and EER of all pairs; empty without both kinds of pair."""
        if not self.judged:
            return {}
        self._scores = self._compared(self.vectors(network))
        return self._figures(self._scores)

    def _compared(self, vectors: Embeddings) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = (vectors @ vectors.T)[self._rows, self._columns]
        return scores

    def _figures(self, scores: NDArray[np.float32]) -> dict[str, float]:
        return {"auc": auc(scores, self._mated), "eer": equal_error_rate(scores, self._mated)}

    def hardest(self, network: nn.Module, n: int) -> list[tuple[int, float]]:
        """The nearest strangers and the farthest mates, in turn: pair and score.

        `network` is the one that was validated last; nothing is embedded again.
        """
        if self._scores is None:
            return []
        order = np.argsort(self._scores, kind="stable")
        mates, strangers = order[self._mated[order]], order[~self._mated[order]][::-1]
        both = [pair for turn in zip(strangers, mates, strict=False) for pair in turn]
        return [(int(pair), float(self._scores[pair])) for pair in both[:n]]

    def shown(self, index: int) -> tuple[RgbImage, str]:
        """Both faces of the pair, side by side."""
        faces = [self._picture(int(side[index])) for side in (self._rows, self._columns)]
        return np.concatenate(faces, axis=1), "mated" if self._mated[index] else "non-mated"
