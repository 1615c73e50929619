"""Runs the suites with great-expectations and keeps its Data Docs."""

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
            batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
            suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
            definition = context.validation_definitions.add(
                gx.ValidationDefinition(name=name, data=batch, suite=suite)
            )
            checkpoint = context.checkpoints.add(
                gx.Checkpoint(
                    name=name,
                    validation_definitions=[definition],
                    actions=[UpdateDataDocsAction(name="docs")],
                    result_format="COMPLETE",
                )
            )
            result = checkpoint.run(batch_parameters={"dataframe": frame})
            for run in result.run_results.values():
                outcomes.extend(_outcome(name, entry) for entry in run.results)
        site = Path(folder) / "gx" / "uncommitted" / "data_docs" / "local_site"
        shutil.copytree(site, data_docs)
    return outcomes


def _outcome(table: str, entry: Any) -> Outcome:
    config, result = entry.expectation_config, entry.result
    asked = {k: v for k, v in config.kwargs.items() if k not in ("batch_id", "column")}
    observed = result.get("observed_value")
    if observed is None:
        count = result.get("unexpected_count", 0)
        seen = list(dict.fromkeys(map(str, result.get("partial_unexpected_list", []))))[:5]
        observed = f"{count} of {result.get('element_count', 0)} rows offend" + (
            f", e.g. {', '.join(seen)}" if seen else ""
        )
    if entry.exception_info.get("raised_exception"):
        observed = str(entry.exception_info.get("exception_message"))
    return Outcome(
        table=table,
        expectation=config.type,
        column=str(config.kwargs.get("column", config.kwargs.get("column_list", ""))),
        success=bool(entry.success),
        observed=str(observed),
        offending=tuple(int(row) for row in result.get("unexpected_index_list") or ()),
        asked=asked,
    )
