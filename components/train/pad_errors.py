"""What a PAD training got wrong on its validation split, as `components.train.errors` shows it."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from torch import nn

from components.train.presentations import BONA_FIDE, SPECIES
from vultus.contracts.arrays import RgbImage, Scores
from vultus.contracts.words import PadDecision, Presentation
from vultus.networks.sampling import Indices

_EVEN = 0.0
"""Logit of a score of 0.5: what decides until `evaluate` has found a threshold."""


class PadErrors(ABC):
    """Confusion and hardest errors; whoever inherits says where logits and crops come from."""

    def __init__(self, groups: Indices, scales: int) -> None:
        """Args: groups: int64 [M] of the validation presentations; scales: K of a crop."""
        self._groups, self._scales = groups, scales

    @abstractmethod
    def logits(self, network: nn.Module) -> Scores:
        """float32 [M] of the validation presentations."""

    @abstractmethod
    def crop(self, index: int) -> NDArray[np.uint8]:
        """uint8 [3K, S, S] of one validation presentation."""

    def confusion(self, network: nn.Module) -> dict[str, dict[str, int]]:
        """Validation presentations: species (or bona_fide) -> decision at a score of 0.5 -> count.

        Args: network: in evaluation mode.
        """
        accepted = self.logits(network) >= _EVEN
        return {
            name_of(int(group)): {
                PadDecision.BONA_FIDE.value: int((accepted & (self._groups == group)).sum()),
                PadDecision.ATTACK.value: int((~accepted & (self._groups == group)).sum()),
            }
            for group in np.unique(self._groups)
        }

    def hardest(self, network: nn.Module, n: int) -> list[tuple[int, float]]:
        """The worst errors on validation: (index, score in [0, 1]), the most confident first.

        Args: network: in evaluation mode; n: as many at most; only errors at a score of 0.5 count.
        """
        logits = self.logits(network)
        wrong = (logits >= _EVEN) != (self._groups == BONA_FIDE)
        order = np.argsort(-np.abs(logits), kind="stable")
        chosen = order[wrong[order]][:n]
        scores = 1 / (1 + np.exp(-logits[chosen].astype(np.float64)))
        return [(int(index), float(score)) for index, score in zip(chosen, scores, strict=True)]

    def shown(self, index: int) -> tuple[RgbImage, str]:
        """One validation presentation: RGB uint8 [S, K · S, 3], its scales side by side, and its
        species or bona_fide."""
        levels = np.split(self.crop(index), self._scales)
        picture = np.concatenate([level.transpose(1, 2, 0) for level in levels], axis=1)
        return np.ascontiguousarray(picture), name_of(int(self._groups[index]))


def name_of(group: int) -> str:
    """PAI species of a group, or bona_fide."""
    return SPECIES[group] or Presentation.BONA_FIDE.value
