"""The expectation that values lie within limits, for compact columns.

The one that comes with great-expectations looks at whole arrays of 64-bit numbers only; of narrower
ones it calls Python for each value: half a minute for the measures of 3.3 million faces.
"""

from functools import cache
from typing import Any

import pandas as pd


@cache
def within_expectation() -> Any:
    """The class, a kind of ExpectColumnValuesToBeBetween; limits are inclusive. Made once a process:
    great-expectations knows it by its name from then on."""
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations import ExpectColumnValuesToBeBetween
    from great_expectations.expectations.metrics import map_metric_provider as provider

    class ColumnValuesWithin(provider.ColumnMapMetricProvider):
        condition_metric_name = "column_values.within"
        condition_value_keys = ("min_value", "max_value")

        @provider.column_condition_partial(engine=PandasExecutionEngine)
        def _pandas(
            cls,
            column: "pd.Series[Any]",
            min_value: float | None = None,
            max_value: float | None = None,
            **_: Any,
        ) -> "pd.Series[bool]":
            return _within(column, min_value, max_value)

    class ExpectColumnValuesToBeWithin(ExpectColumnValuesToBeBetween):
        map_metric = ColumnValuesWithin.condition_metric_name

    return ExpectColumnValuesToBeWithin


def _within(column: "pd.Series[Any]", low: float | None, high: float | None) -> "pd.Series[bool]":
    """Of each value, whether it lies within the limits that there are."""
    within = pd.Series(True, index=column.index)
    if low is not None:
        within &= column >= low
    if high is not None:
        within &= column <= high
    return within
