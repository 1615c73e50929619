"""The exported networks repeat the scores that were evaluated; measured here, not believed."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from components.promote.networks import rescorer_of
from components.promote.params import PromoteParams
from components.promote.reckoning import rows_of
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.contracts.transform import (
    ChipWindow,
    LivenessTransform,
    RecognitionTransform,
    TensorParams,
)
from vultus.errors import TransformMismatch, WeightsUnavailable
from vultus.faces.alignment import TEMPLATE_SIDE

_SHIFTS_PX = (4, 8, 12)


def parity_reasons(version: ModelVersion, params: PromoteParams, store: Store) -> Iterator[str]:
    """Score a sample of test trials with the files that a server would load.

    Where they do not repeat the evaluation, known faults are tried out, so that the reason can name one.
    """
    rows = _sample(rows_of(version), params.parity_pictures, params.seed)
    if not len(rows):
        return
    expected = _scores(rows)
    try:
        found = rescorer_of(version, store)(rows)
    except (WeightsUnavailable, TransformMismatch) as error:
        yield f"the exported model cannot be run: {error}"
        return
    off = _difference(expected, found)
    if off <= params.parity_tolerance:
        return
    yield (
        f"the exported model does not repeat its evaluation: scores differ by up to {off:.3f} on "
        f"{len(rows)} test trials ({params.parity_tolerance:g} may be); "
        + _fault(version, rows, params, store)
    )


def _fault(version: ModelVersion, rows: pa.Table, params: PromoteParams, store: Store) -> str:
    expected = _scores(rows)
    for name, transform in _suspects(version.transform):
        off = _difference(expected, rescorer_of(version, store, transform)(rows))
        if off <= params.parity_tolerance:
            return name
    found = rescorer_of(version, store)(rows)
    known = np.isfinite(expected) & np.isfinite(found)
    alike = np.corrcoef(expected[known], found[known])[0, 1] if known.sum() > 2 else np.nan
    if np.isfinite(alike) and alike > 0.5:
        return (
            f"they still go together (correlation {alike:.2f}): quantisation or conversion broke it, "
            "or the picture is prepared otherwise"
        )
    return (
        "they have hardly anything in common: these are not the weights that were evaluated, or a "
        "conversion lost them"
    )


def _suspects(
    transform: RecognitionTransform | LivenessTransform,
) -> Iterator[tuple[str, RecognitionTransform | LivenessTransform]]:
    """Preparations that would be a known mistake's undoing."""
    if isinstance(transform, LivenessTransform):
        members = [m.model_copy(update={"tensor": _turned(m.tensor)}) for m in transform.members]
        yield _SWAPPED, transform.model_copy(update={"members": tuple(members)})
        return
    yield _SWAPPED, transform.model_copy(update={"tensor": _turned(transform.tensor)})
    if transform.window is not None:
        yield (
            "without its window it would: the crop is shifted",
            transform.model_copy(update={"window": None}),
        )
    whole = transform.window or ChipWindow(left=0, top=0, side=TEMPLATE_SIDE)
    for far in _SHIFTS_PX:
        for x, y in ((far, 0), (-far, 0), (0, far), (0, -far), (far, far), (-far, -far)):
            moved = whole.model_copy(update={"left": whole.left + x, "top": whole.top + y})
            yield (
                f"moved by {x}, {y} px it would: the crop is shifted",
                transform.model_copy(update={"window": moved}),
            )


_SWAPPED = "with red and blue swapped it would: the colour order is wrong"


def _turned(tensor: TensorParams) -> TensorParams:
    return tensor.model_copy(update={"order": "bgr" if tensor.order == "rgb" else "rgb"})


def _sample(rows: pa.Table, pictures: int, seed: int) -> pa.Table:
    """All trials among a few pictures (PAD: of a few), drawn with a seed."""
    rng = np.random.default_rng(seed)
    if "image" in rows.column_names:
        kept = rng.permutation(len(rows))[:pictures]
        return rows.take(np.sort(kept))
    firsts, seconds = (np.array(rows[side].to_pylist(), dtype=object) for side in ("a", "b"))
    names = np.unique(np.concatenate([firsts, seconds]).astype(str))
    drawn = rng.permutation(names)[:pictures]
    both = np.isin(firsts.astype(str), drawn) & np.isin(seconds.astype(str), drawn)
    return rows.filter(pa.array(both))


def _scores(rows: pa.Table) -> np.ndarray:
    name = "score" if "score" in rows.column_names else "pad_score"
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)


def _difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Largest difference; infinite where only one of the two has a score."""
    if (np.isfinite(expected) != np.isfinite(found)).any():
        return float("inf")
    known = np.isfinite(expected)
    return float(np.abs(expected - found)[known].max()) if known.any() else 0.0
