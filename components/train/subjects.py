"""Subjects of training rows: numbers, pairs, mates, and whether they can teach anything."""

import logging

import numpy as np
from numpy.typing import NDArray

from components.train.params import TrainParams
from components.train.pictures import Row
from vultus.errors import TrainingFailed
from vultus.networks.sampling import Indices

logger = logging.getLogger(__name__)


def codes(rows: list[Row]) -> Indices:
    """int64 [N]: subjects numbered from 0 in the order of their names."""
    _, numbers = np.unique([row["subject"] for row in rows], return_inverse=True)
    return numbers.astype(np.int64)


def pairs_of(subjects: Indices) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Every pair once: rows, columns, and whether they are mated."""
    rows, columns = np.triu_indices(len(subjects), 1)
    return rows, columns, subjects[rows] == subjects[columns]


def mates_of(groups: Indices, drawn: Indices, rng: np.random.Generator) -> Indices:
    """The first half of a batch, each followed by another example of its subject.

    Args: groups: int64 [N], subject of each example; drawn: int64 [B], examples.
    Returns: int64 [2 · (B // 2)]; where a subject has one example alone it stands twice.
    """
    first = drawn[: max(1, len(drawn) // 2)]
    mates = []
    for example in first:
        others = np.flatnonzero(groups == groups[example])
        others = others[others != example]
        mates.append(int(rng.choice(others)) if len(others) else int(example))
    return np.concatenate([first, np.array(mates, np.int64)])


def require_subjects(subjects: Indices, params: TrainParams) -> None:
    """Refuse what the head cannot learn from, and warn of what it learns little from.

    With one picture of every subject the heads with centres still learn to tell people apart; what
    one person looks like on two days they see in augmented views alone, and `triplet` has nothing.

    Args: int64 [N], the subject of each picture.
    Raises: TrainingFailed.
    """
    names, counts = np.unique(subjects, return_counts=True)
    if not len(names):
        raise TrainingFailed("the train split holds no bona fide face; add people")
    if params.distil == 1:
        return
    if len(names) < 2:
        raise TrainingFailed(
            f"the train split holds {len(names)} subject(s) with a bona fide face; an embedder needs "
            "two at least: add people, learn from a teacher alone (train.teacher=sface), or keep "
            "a packaged network as it is (train.epochs=0)"
        )
    if params.head == "triplet" and counts.max() < 2:
        raise TrainingFailed(
            f"train.head=triplet compares two pictures of a subject, and none of the {len(names)} "
            "subjects has two in the train split: add pictures, or choose another head "
            "(softmax, arcface, cosface, adaface), or learn from a teacher (train.teacher=sface)"
        )
    if counts.max() < 2:
        logger.warning(
            "one picture of every subject: what changes a face is learned from augmentation alone",
            extra={"subjects": len(names), "head": params.head, "views": params.views},
        )
