"""References of one model in memory, searched by one matrix product: exact, no approximation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Embeddings
from vultus.errors import BadParameter


@dataclass(frozen=True)
class Index:
    """Immutable, so that a search needs no lock.

    references int64 [N]: row ids; subjects int64 [N]; templates float32 [N, D], unit length.
    """

    references: NDArray[np.int64]
    subjects: NDArray[np.int64]
    templates: Embeddings

    @classmethod
    def empty(cls, dimension: int) -> "Index":
        """No reference."""
        none = np.empty(0, np.int64)
        return cls(none, none, np.empty((0, dimension), np.float32))

    def plus(self, rows: Sequence[tuple[int, int, Embeddings]]) -> "Index":
        """With more (reference id, subject id, template)."""
        references, subjects, templates = zip(*rows, strict=True)
        return Index(
            np.concatenate([self.references, np.array(references, np.int64)]),
            np.concatenate([self.subjects, np.array(subjects, np.int64)]),
            np.concatenate([self.templates, np.stack(templates)]),
        )

    def only(self, kept: Collection[int]) -> "Index":
        """Without the references whose id is not in `kept`."""
        stays = np.isin(self.references, np.fromiter(kept, np.int64, len(kept)))
        if stays.all():
            return self
        return Index(self.references[stays], self.subjects[stays], self.templates[stays])

    def search(self, probe: Embeddings, threshold: float, limit: int) -> list[tuple[int, float]]:
        """The subjects most alike: (subject id, best cosine), best first, equal scores by id.

        Args: probe: float32 [D], unit length; limit: subjects at most.
        Raises: BadParameter, if the lengths differ.
        """
        if not len(self.references):
            return []
        if probe.shape != self.templates.shape[1:]:
            raise BadParameter(
                f"the probe has shape {probe.shape}, the references {self.templates.shape[1:]}"
            )
        scores = self.templates @ probe
        near = np.flatnonzero(scores >= threshold)
        best: dict[int, float] = {}
        for row in near[np.lexsort((self.subjects[near], -scores[near]))]:
            subject = int(self.subjects[row])
            if subject not in best:
                if len(best) == limit:
                    break
                best[subject] = float(scores[row])
        return list(best.items())
