"""Splits for a data version that goes on from an earlier one: old subjects stay, new ones are dealt.

Without an earlier version the split is `split_of`: a hash of the name, balanced by chance alone. How
unlucky a `split_seed` is, and which one is luckier, says `balance`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.split import split_of
from vultus.contracts.seams import Store
from vultus.contracts.words import Split
from vultus.errors import BadParameter

_UNKNOWN = "not declared"
_SEEDS = 200
"""Tried by `balance`: the best of 200 is among the luckiest percent with probability 0.87."""


@dataclass(frozen=True)
class Shares:
    """How subjects are dealt: the seed of the order, and the share of two splits."""

    split_seed: int
    validation_share: float
    test_share: float

    def of(self, split: Split) -> float:
        """The share of one split."""
        held_out = {Split.VALIDATION: self.validation_share, Split.TEST: self.test_share}
        return held_out.get(split, 1 - self.validation_share - self.test_share)

    def hashed(self, name: str) -> Split:
        """`split_of` for a raw name."""
        return split_of(
            name,
            split_seed=self.split_seed,
            validation_share=self.validation_share,
            test_share=self.test_share,
        )


def strata_of(tables: Iterable[pa.Table], by: Sequence[str]) -> dict[str, str]:
    """Pseudonym -> stratum: the subject's attributes, and the species of its captured attacks.

    Args:
        tables: columns subject, attributes, species, simulated (FACE_SCHEMA), in pieces. Simulated
            rows count for nothing: any subject could have had them.
        by: attributes; each with the subject's most frequent value, the first in the alphabet of two.
    """
    values: dict[str, list[Counter[str]]] = defaultdict(lambda: [Counter() for _ in by])
    species: dict[str, set[str]] = defaultdict(set)
    bare: set[str] = set()
    for table in tables:
        if _says_nothing(table):
            bare.update(pc.unique(table["subject"]).to_pylist())
            continue
        rows = table.select(["subject", "attributes", "species", "simulated"]).to_pylist()
        for row in rows:
            if row["simulated"]:
                continue
            declared = dict(row["attributes"] or ())
            for counter, name in zip(values[row["subject"]], by, strict=True):
                counter[declared.get(name, _UNKNOWN)] += 1
            if row["species"] is not None:
                species[row["subject"]].add(row["species"])
    strata = dict.fromkeys(bare, " ".join(f"{name}={_UNKNOWN}" for name in by))
    return strata | {
        subject: " ".join(
            [f"{name}={_usual(counter)}" for name, counter in zip(by, counters, strict=True)]
            + sorted(species[subject])
        )
        for subject, counters in values.items()
    }


def deal_splits(
    names: Mapping[str, str],
    shares: Shares,
    *,
    strata: Mapping[str, str],
    earlier: Mapping[str, Split] | None = None,
) -> dict[str, Split]:
    """Pseudonym -> split for every subject.

    Without `earlier`: the hash of each name. With it: who is in it stays; the others come in the order
    of their hash, each to the split that lacks most, in its stratum and over all together.

    Args:
        names: pseudonym -> raw name.
        shares: what is aimed at.
        strata: pseudonym -> stratum (`strata_of`); a subject without one is a stratum "".
        earlier: splits of an earlier data version (`read_splits`).
    Raises: BadParameter, if the earlier version knows none of these subjects.
    Source: Pocock and Simon, Sequential treatment assignment with balancing for prognostic factors,
        Biometrics 31, 1975 (here without the random step: the order is random already).
    """
    if earlier is None:
        return {pseudonym: shares.hashed(name) for pseudonym, name in names.items()}
    dealt = {pseudonym: earlier[pseudonym] for pseudonym in names if pseudonym in earlier}
    if earlier and not dealt:
        raise BadParameter(
            "splits_from names a version that knows none of these subjects; "
            "it was made with another pseudonym key, or from another source"
        )
    counts: dict[str, Counter[Split]] = defaultdict(Counter)
    for pseudonym, split in dealt.items():
        counts[strata.get(pseudonym, "")][split] += 1
    whole: Counter[Split] = Counter(dealt.values())
    for pseudonym in sorted(set(names) - set(dealt), key=lambda one: _order(shares, names[one])):
        mine = counts[strata.get(pseudonym, "")]
        split = max(Split, key=lambda one: _lack(mine, one, shares) + _lack(whole, one, shares))
        dealt[pseudonym] = split
        mine[split] += 1
        whole[split] += 1
    return dealt


@dataclass(frozen=True)
class Balance:
    """How unevenly a seed deals the strata, and the most even of those that were tried.

    imbalance: Pearson's chi-square of strata × splits over its degrees of freedom; chance gives 1 on
        average, 0 is even.
    """

    imbalance: float
    best_seed: int
    best_imbalance: float


@dataclass(frozen=True)
class Dealt:
    """The splits of a data version.

    splits: of its subjects, by pseudonym. sha256: their table in the store, what `splits_from` takes;
    it remembers earlier subjects too, so that one who comes back finds the old split. balance: of the
    strata, where nothing earlier decides.
    """

    splits: dict[str, Split]
    sha256: str
    balance: Balance | None


def splits_for(
    names: Mapping[str, str],
    rows: Iterable[pa.Table],
    shares: Shares,
    *,
    stratify_by: Sequence[str],
    splits_from: str | None,
    store: Store,
) -> Dealt:
    """Deal every subject of a data version, and keep the result for the next one.

    Args:
        names: pseudonym -> raw name.
        rows: accepted rows as `strata_of` wants them, in pieces.
        shares: what is aimed at.
        stratify_by: attributes.
        splits_from: sha256 of an earlier version's splits, or None.
        store: holds them.
    Raises: BadParameter, BadArtifact, StorageUnavailable.
    """
    earlier = None if splits_from is None else read_splits(splits_from, store)
    strata = strata_of(rows, stratify_by) if earlier is not None or stratify_by else {}
    splits = deal_splits(names, shares, strata=strata, earlier=earlier)
    several = len(set(strata.values())) > 1
    seen = balance(names, shares, strata) if earlier is None and several else None
    return Dealt(splits, write_splits({**(earlier or {}), **splits}, store), seen)


def write_splits(splits: Mapping[str, Split], store: Store) -> str:
    """Keep the splits of a data version; returns the sha256 that `splits_from` takes."""
    lines = "".join(f"{pseudonym},{splits[pseudonym].value}\n" for pseudonym in sorted(splits))
    return store.put(lines.encode())


def read_splits(sha256: str, store: Store) -> dict[str, Split]:
    """What `write_splits` kept. Raises: BadArtifact, StorageUnavailable; BadParameter, if it is not."""
    try:
        lines = store.get(sha256).decode().splitlines()
        pairs = [line.split(",") for line in lines]
        return {pseudonym: Split(word) for pseudonym, word in pairs}
    except (ValueError, UnicodeDecodeError) as error:
        raise BadParameter(
            f"splits_from={sha256} is no table of splits; take `splits_sha256` from the facts of a "
            "RawFaces manifest"
        ) from error


def balance(names: Mapping[str, str], shares: Shares, strata: Mapping[str, str]) -> Balance:
    """Compare the seed in use with the seeds 0 to 199.

    Choosing the seed for its balance before anything was trained is honest: it looks at names and
    declared attributes alone.

    Source: Morgan and Rubin, Rerandomization to improve covariate balance in experiments, Annals of
        Statistics 40, 2012.
    """
    subjects = sorted(names)
    labels = np.unique([strata.get(one, "") for one in subjects], return_inverse=True)[1]

    def of(seed: int) -> float:
        dealt = Shares(seed, shares.validation_share, shares.test_share)
        place = np.array([list(Split).index(dealt.hashed(names[one])) for one in subjects])
        return _imbalance(place, labels, [shares.of(split) for split in Split])

    tried = [of(seed) for seed in range(_SEEDS)]
    best = int(np.argmin(tried))
    return Balance(of(shares.split_seed), best, tried[best])


def _imbalance(place: np.ndarray, labels: np.ndarray, aims: Sequence[float]) -> float:
    """Pearson's chi-square over its degrees of freedom."""
    cells = np.zeros((labels.max() + 1, len(aims)))
    np.add.at(cells, (labels, place), 1)
    wanted = cells.sum(axis=1, keepdims=True) * np.array(aims)
    used = wanted > 0
    square = ((cells - wanted)[used] ** 2 / wanted[used]).sum()
    return float(square / (len(cells) * max(int((np.array(aims) > 0).sum()) - 1, 1)))


def _lack(counts: Counter[Split], split: Split, shares: Shares) -> float:
    """Subjects that the split lacks once one more is dealt."""
    return shares.of(split) * (counts.total() + 1) - counts[split]


def _order(shares: Shares, name: str) -> bytes:
    return hashlib.sha256(f"{shares.split_seed}:{name}".encode()).digest()


def _says_nothing(table: pa.Table) -> bool:
    """Whether no row has an attribute or a species."""
    declared = any(
        chunk.offsets[-1].as_py() > chunk.offsets[0].as_py()
        for chunk in table["attributes"].chunks
        if len(chunk)
    )
    return not declared and int(table["species"].null_count) == len(table)


def _usual(counter: Counter[str]) -> str:
    return min(counter, key=lambda value: (-counter[value], value))
