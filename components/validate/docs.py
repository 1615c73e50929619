"""Runs the suites with great-expectations and keeps its Data Docs."""

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """One expectation: what was asked, what was seen, which rows offend."""

    table: str
    expectation: str
    column: str
    success: bool
    observed: str
    offending: tuple[int, ...]
    asked: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """Without the rows, as JSON."""
        return {name: value for name, value in vars(self).items() if name != "offending"}


logger = logging.getLogger(__name__)

_COMPACT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
"""For the site: counts and 20 examples."""
_EVERY_ROW = {"result_format": "COMPLETE", "return_unexpected_index_query": False}
"""Asked a second time where an expectation failed: its rows, but not the query that finds them."""


def run_suites(tables: dict[str, tuple[pd.DataFrame, list[Any]]], data_docs: Path) -> list[Outcome]:
    """Validate each table against its expectations; write the Data Docs site to `data_docs`.

    Args:
        tables: name -> (rows, expectations).
        data_docs: folder that becomes the static site (index.html).
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # great-expectations reads it when imported
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction

    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        context = gx.get_context(mode="file", project_root_dir=folder)
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_pandas("vultus")
        for name, (frame, expectations) in tables.items():
            asset = source.add_dataframe_asset(name)
            definition = asset.add_batch_definition_whole_dataframe("all")
            suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
            validation = context.validation_definitions.add(
                gx.ValidationDefinition(name=name, data=definition, suite=suite)
            )
            checkpoint = context.checkpoints.add(
                gx.Checkpoint(
                    name=name,
                    validation_definitions=[validation],
                    actions=[UpdateDataDocsAction(name="docs")],
                    result_format=_COMPACT,
                )
            )
            result = checkpoint.run(batch_parameters={"dataframe": frame})
            batch = definition.get_batch(batch_parameters={"dataframe": frame})
            for run in result.run_results.values():
                outcomes.extend(_outcome(name, entry, batch) for entry in run.results)
            logger.info("validate", extra={"table": name, "expectations": len(expectations)})
        site = Path(folder) / "gx" / "uncommitted" / "data_docs" / "local_site"
        shutil.copytree(site, data_docs)
    return outcomes


def _outcome(table: str, entry: Any, batch: Any) -> Outcome:
    config, result = entry.expectation_config, entry.result
    asked = {k: v for k, v in config.kwargs.items() if k not in ("batch_id", "column")}
    rows: list[int] = []
    if not entry.success and result.get("unexpected_count"):
        every = batch.validate(config.to_domain_obj(), result_format=_EVERY_ROW)
        rows = every.result.get("unexpected_index_list") or []
    return Outcome(
        table=table,
        expectation=config.type,
        column=str(config.kwargs.get("column", config.kwargs.get("column_list", ""))),
        success=bool(entry.success),
        observed=_observed(entry),
        offending=tuple(map(int, rows)),
        asked=asked,
    )


def _observed(entry: Any) -> str:
    result = entry.result
    if entry.exception_info.get("raised_exception"):
        return str(entry.exception_info.get("exception_message"))
    if result.get("observed_value") is not None:
        return str(result["observed_value"])
    count, seen = result.get("unexpected_count", 0), result.get("partial_unexpected_list", [])
    examples = ", ".join(list(dict.fromkeys(map(str, seen)))[:5])
    observed = f"{count} of {result.get('element_count', 0)} rows offend"
    return observed + (f", e.g. {examples}" if examples else "")
