"""Figures of PAD and recognition together, again from the raw attempts that are signed with them."""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus.contracts.models import ModelVersion

FILE = "system.parquet"
FIGURES = frozenset({"iapar", "riapar", "iapmr", "system_frr"})
Reckoned = dict[tuple[str, str], float]
"""(name, slice) of a figure -> its value."""


def system_reasons(
    version: ModelVersion,
    stated: Collection[str],
    panel: pa.Table,
    accepted: NDArray[np.bool_] | None,
) -> Iterator[str]:
    """The attempts are of these presentations, with what this panel says of them.

    Args: stated: names of the signed figures; panel: the panel's rows of the test split;
        accepted bool [N], as the scores give it.
    """
    if not _present(version):
        if FIGURES & set(stated):
            yield f"it states figures of the whole system, and has no {FILE} to reckon them from"
        return
    table = version.table(FILE)
    columns = ["image", "box", "species"]
    if not table.select(columns).equals(panel.select(columns).cast(table.select(columns).schema)):
        yield f"the attempts of {FILE} are not its test presentations"
    elif accepted is not None and not np.array_equal(_flags(table, "pad_accepted"), accepted):
        yield f"what PAD accepts in {FILE} does not follow from its own scores and thresholds"


def system_figures(version: ModelVersion) -> Reckoned:
    """IAPMR, IAPAR, RIAPAR by species and worst, FRR of the system; nothing without attempts."""
    if not _present(version):
        return {}
    table = version.table(FILE)
    scores = np.asarray(table["score"].to_numpy(zero_copy_only=False), np.float32)
    known = np.isfinite(scores)
    matched = np.nan_to_num(scores, nan=-np.inf) >= table["threshold"].to_numpy().astype(np.float32)
    through = matched & _flags(table, "pad_accepted")
    species = np.array([name or "" for name in table["species"].to_pylist()])
    live = known & (species == "")
    refused = float((~through[live]).mean()) if live.any() else float("nan")
    found: Reckoned = {("system_frr", "all"): refused}
    for name in sorted(set(species) - {""}):
        own = known & (species == name)
        if not own.any():
            continue
        share = float(through[own].mean())
        found[("iapmr", f"species={name}")] = float(matched[own].mean())
        found[("iapar", f"species={name}")] = share
        found[("riapar", f"species={name}")] = share + refused
    for name in ("iapmr", "iapar", "riapar"):
        rates = [value for (figure, _), value in found.items() if figure == name]
        if rates:
            found[(name, "all")] = max(rates)
    return found


def _present(version: ModelVersion) -> bool:
    return FILE in version.manifest.sha256


def _flags(table: pa.Table, column: str) -> NDArray[np.bool_]:
    return np.asarray(table[column].to_numpy(zero_copy_only=False), bool)
