"""What the candidate was taught: no test person, no test picture, nothing older than before."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.promote.params import PromoteParams
from vultus.contracts.evaluation import short_digest
from vultus.contracts.models import ModelVersion
from vultus.contracts.words import Split
from vultus.dataset.near import near_pairs

FILE = "lineage.parquet"
Digests = NDArray[np.uint64]


def leak_reasons(version: ModelVersion, params: PromoteParams) -> Iterator[str]:
    """Train data among the trials of the candidate's own data version: the figures would be recited.

    What this cannot see: pictures of a test person that the lineage names by another subject and that
    are no near duplicates.
    """
    statement = version.statement
    if statement.evaluated_data_sha256 != statement.data_sha256:
        yield (
            f"it was trained on data version {statement.data_sha256[:12]} and evaluated on "
            f"{statement.evaluated_data_sha256[:12] or 'an unnamed one'}: whether it was taught its "
            "trials cannot be seen; evaluate it on the data it was trained on"
        )
        return
    rows = lineage(version)
    if rows is None:
        yield f"it carries no {FILE}: evaluate and register it again, so that leaks can be looked for"
        return
    tried = _tried(version, rows)
    unknown = len(_trial_pictures(version)) - len(np.unique(_pictures(rows, version)[tried]))
    if unknown:
        yield f"{unknown} pictures of its trials are not in its data version"
    taught = np.asarray(rows["split"].to_numpy(zero_copy_only=False) == Split.TRAIN.value)
    # A subject or picture both taught and tried. Another split of the same row is no matter here.
    for column, what in (("image", "pictures"), ("subject", "people")):
        values = _numbers(rows, column)
        both = np.intersect1d(values[taught], values[tried])
        if len(both):
            yield (
                f"label leak: {len(both)} {what} of its trials are in its train split; "
                "its figures are recited, not earned"
            )
            return
    near = _near(_numbers(rows, "phash"), taught, tried, params.near_duplicate_bits)
    if near:
        yield (
            f"label leak: {near} pictures of its trials have a near duplicate (at most "
            f"{params.near_duplicate_bits} bits) in its train split"
        )


def age_reasons(
    version: ModelVersion, champion: ModelVersion, params: PromoteParams
) -> Iterator[str]:
    """Stale data: nothing new, and part of what the champion learned from is missing."""
    ours, theirs = lineage(version), lineage(champion)
    if (
        ours is None
        or theirs is None
        or version.statement.data_sha256 == (champion.statement.data_sha256)
    ):
        return
    mine, known = (np.unique(_numbers(rows, "image")) for rows in (ours, theirs))
    lost = 1 - len(np.intersect1d(mine, known)) / max(len(known), 1)
    fresh = len(np.setdiff1d(mine, known))
    if not fresh and lost > params.max_lost_share:
        yield (
            f"stale data: its data version brings no picture that the champion's lacks, and lacks "
            f"{lost:.0%} of the champion's ({params.max_lost_share:.0%} may go); train on current data"
        )
    newest, before = _newest(ours), _newest(theirs)
    if newest is not None and before is not None:
        behind = int((before - newest) / np.timedelta64(1, "D"))
        if behind > params.max_days_behind:
            yield (
                f"stale data: its newest picture is {behind} days older than the champion's, "
                f"{params.max_days_behind} may be"
            )


def lineage(version: ModelVersion) -> pa.Table | None:
    """Rows of LINEAGE; None for a version registered before they were kept."""
    return version.table(FILE) if (version.path / FILE).exists() else None


def _tried(version: ModelVersion, rows: pa.Table) -> NDArray[np.bool_]:
    return np.isin(_pictures(rows, version), _trial_pictures(version))


def _pictures(rows: pa.Table, version: ModelVersion) -> Digests:
    return _numbers(rows, "chip" if version.task == "recognition" else "context")


def _trial_pictures(version: ModelVersion) -> Digests:
    trials = version.table("trials.parquet")
    columns = ("a", "b") if version.task == "recognition" else ("image",)
    names = {name for column in columns for name in trials[column].unique().to_pylist()}
    return np.array(sorted(short_digest(name) for name in names), np.uint64)


def _numbers(rows: pa.Table, column: str) -> Digests:
    return np.asarray(rows[column].to_numpy(zero_copy_only=False), np.uint64)


def _near(hashes: Digests, taught: NDArray[np.bool_], tried: NDArray[np.bool_], bits: int) -> int:
    """How many tried pictures lie within `bits` of a taught one."""
    train, test = np.unique(hashes[taught]), np.unique(hashes[tried])
    found = set(np.intersect1d(train, test).tolist())
    unique = np.union1d(train, test)
    in_train, in_test = np.isin(unique, train), np.isin(unique, test)
    for left, right, _ in near_pairs(unique, bits):
        for one, other in ((left, right), (right, left)):
            found.update(unique[one[in_test[one] & in_train[other]]].tolist())
    return len(found)


def _newest(rows: pa.Table) -> np.datetime64 | None:
    known = rows["captured_at"].drop_null()
    return None if not len(known) else np.asarray(known.to_numpy()).max()
