"""What a run leaves for people to read, in one folder: reports/<run>/."""

import shutil
from pathlib import Path

from pipelines.local import LocalRun

_EVALUATION = {"report.html": "report.html", "report.pdf": "report.pdf"}
_DATASET = {"report.html": "data.html", "report.pdf": "data.pdf"}


def collect(run: LocalRun) -> list[Path]:
    """Copy evaluation report, dataset report and Data Docs of a finished run beside its log.

    Returns: the pages, the one to read first in front.
    """
    place = run.log_file.parent
    validation = Path(run.outputs["validation"].path)
    pages = _copied(Path(run.outputs["evaluation"].path), place, _EVALUATION)
    pages += _copied(validation, place, _DATASET)
    shutil.copytree(validation / "data_docs", place / "data_docs", dirs_exist_ok=True)
    return [*pages, place / "data_docs" / "index.html"]


def _copied(artifact: Path, place: Path, names: dict[str, str]) -> list[Path]:
    return [
        Path(shutil.copyfile(artifact / name, place / copy))
        for name, copy in names.items()
        if (artifact / name).is_file()
    ]
