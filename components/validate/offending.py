"""The rows that broke an expectation, in files that people and programs read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from components.validate.columns import Columns
from components.validate.docs import Outcome

_NAMES = ("image_sha256", "subject", "split", "presentation", "species", "source")
_SCHEMA = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("expectation", pa.string()),
        pa.field("column", pa.string()),
        pa.field("observed", pa.string()),
        pa.field("row", pa.int64()),
        *(pa.field(name, pa.string()) for name in _NAMES),
    ]
)


def write_offending(
    outcomes: list[Outcome],
    frames: dict[str, pd.DataFrame],
    columns: dict[str, Columns],
    folder: Path,
    most: int,
) -> None:
    """Write `offending.parquet` and `offending.csv`: a row for each expectation it breaks.

    Args:
        outcomes: of every suite; those that hold leave no row.
        frames: what the suites saw, by table.
        columns: where a table's rows come from, for those that stand for pictures; the pseudonym and
            the sha256 are looked up there.
        folder: exists.
        most: rows an expectation; the rest are counted in `results.json`.
    """
    tables = [
        _rows(outcome, frames[outcome.table], columns.get(outcome.table), most)
        for outcome in outcomes
        if not outcome.success and outcome.offending
    ]
    whole = pa.concat_tables([_SCHEMA.empty_table(), *tables])
    pq.write_table(whole, folder / "offending.parquet")
    pa_csv.write_csv(whole, folder / "offending.csv")


def _rows(outcome: Outcome, frame: pd.DataFrame, columns: Columns | None, most: int) -> pa.Table:
    places = np.array(outcome.offending[:most], np.int64)
    asked = [name.strip(" '\"[]") for name in outcome.column.split(",")]
    seen = frame.iloc[places][[name for name in asked if name in frame]].astype(str)
    made = {
        "table": [outcome.table] * len(places),
        "expectation": [outcome.expectation] * len(places),
        "column": [outcome.column] * len(places),
        "observed": [", ".join(values) for values in seen.itertuples(index=False)],
        "row": places,
    }
    if columns is not None:
        found = columns.rows(places, _NAMES)
        made |= {name: found[name].cast(pa.string()) for name in _NAMES}
    else:
        for name in _NAMES:
            known = name in frame
            made[name] = frame.iloc[places][name].astype(str) if known else [None] * len(places)
    return pa.table(made, _SCHEMA)
