"""What a run leaves for people to read, in one folder: reports/<run>/."""

import shutil
from pathlib import Path

from pipelines.local import LocalRun

_EVALUATION = ("report.html", "report.pdf")


def collect(run: LocalRun) -> list[Path]:
    """Copy the evaluation report and the Data Docs of a finished run beside its log.

    Returns: the pages, the one to read first in front.
    """
    place = run.log_file.parent
    evaluation = Path(run.outputs["evaluation"].path)
    written = [name for name in _EVALUATION if (evaluation / name).is_file()]
    pages = [Path(shutil.copyfile(evaluation / name, place / name)) for name in written]
    docs = Path(run.outputs["validation"].path) / "data_docs"
    shutil.copytree(docs, place / "data_docs", dirs_exist_ok=True)
    return [*pages, place / "data_docs" / "index.html"]
