"""What is judged of a data set as a whole: its splits, and how its strata are shared out."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vultus.contracts.words import Presentation, Species, Split

_SPLITS = [split.value for split in Split]
UNKNOWN = "not declared"


def splits_frame(faces: pd.DataFrame, *, pictures: int, duplicates: int) -> pd.DataFrame:
    """One row a split: faces, subjects, subjects with at least two bona fide originals, attacks.

    Args:
        faces: `crops_frame`.
        pictures: that were looked at; duplicates: of them refused as near duplicates (a face was
            found there).
    """
    split = _split_numbers(faces)
    subject = faces["subject"].cat.codes.to_numpy()
    attack = (faces["presentation"] == Presentation.ATTACK.value).to_numpy()
    own = ~attack & ~faces["simulated"].to_numpy()
    found = (len(faces) + duplicates) / max(pictures, 1)
    rows = []
    for number, name in enumerate(_SPLITS):
        mine = split == number
        originals = np.bincount(subject[mine & own]) if (mine & own).any() else np.zeros(0)
        rows.append(
            {
                "split": name,
                "faces": int(mine.sum()),
                "subjects": len(np.unique(subject[mine])),
                "mated_subjects": int((originals >= 2).sum()),
                "attacks": int((mine & attack).sum()),
                "found_share": found,
            }
        )
    return pd.DataFrame(rows)


def strata_frame(faces: pd.DataFrame, stratify_by: Iterable[str]) -> pd.DataFrame:
    """One row a stratum and split: its subjects there, and how likely so uneven a split is.

    A stratum is a value of one attribute (of a subject's first picture), or the subjects of whom an
    attack presentation of one species exists. `expected`: the split's share of all subjects.
    `chance`: probability that a random split of the stratum's subjects is as far from it, times the
    number of rows (Bonferroni), at most 1.
    """
    split, subject = _split_numbers(faces), faces["subject"].cat.codes.to_numpy()
    people, first = np.unique(subject, return_index=True)
    home = split[first]
    strata: list[tuple[str, NDArray[np.bool_]]] = []
    for name in stratify_by:
        values = faces[f"attribute_{name}"].iloc[first].astype(object).fillna(UNKNOWN).to_numpy()
        strata += [(f"{name}={value}", values == value) for value in sorted(set(values))]
    for species in Species:
        with_attack = subject[(faces["species"] == species.value).to_numpy()]
        strata.append((f"species={species.value}", np.isin(people, with_attack)))
    whole = np.bincount(home[home >= 0], minlength=len(_SPLITS))
    rows = []
    for label, members in strata:
        count, here = int(members.sum()), np.bincount(home[members], minlength=len(_SPLITS))
        for number, name in enumerate(_SPLITS):
            share = float(whole[number] / max(whole.sum(), 1))
            rows.append(
                {
                    "stratum": label,
                    "split": name,
                    "subjects": int(here[number]),
                    "share": here[number] / max(count, 1),
                    "expected": share,
                    "chance": chance_of(int(here[number]), count, int(whole[number]), len(people)),
                }
            )
    frame = pd.DataFrame(rows)
    frame["chance"] = np.minimum(1.0, frame["chance"] * len(frame))
    return frame


def chance_of(seen: int, drawn: int, marked: int, everyone: int) -> float:
    """Two-sided probability of `seen` or worse.

    Of `everyone` subjects `marked` lie in the split; a stratum of `drawn` subjects, dealt at random,
    has `seen` of them there (hypergeometric: splits are dealt without putting back).

    Source: Fisher, Statistical methods for research workers, 1934 (exact test of a 2 × 2 table).
    """
    low, high = max(0, drawn - (everyone - marked)), min(drawn, marked)
    value = np.arange(low, high, dtype=np.float64)
    up = (marked - value) * (drawn - value)
    down = (value + 1) * (everyone - marked - drawn + value + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(up / down))])
    weights = np.exp(logs - logs.max())
    likely = weights / weights.sum()
    return float(likely[likely <= likely[seen - low] * (1 + 1e-9)].sum())


def _split_numbers(faces: pd.DataFrame) -> NDArray[np.int64]:
    """int64 [N]: place of each row's split in `Split`, -1 for a word that is none."""
    names = faces["split"].cat.categories
    place = np.array([_SPLITS.index(name) if name in _SPLITS else -1 for name in names] + [-1])
    return np.asarray(place[faces["split"].cat.codes.to_numpy()], np.int64)
