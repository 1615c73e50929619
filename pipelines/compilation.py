"""Pipelines as KFP IR YAML: what a cluster takes, and what a laptop runs, too."""

from pathlib import Path
from typing import Any

from vultus.contracts.words import Task

NAMES = {Task.RECOGNITION: "vultus-recognition", Task.LIVENESS: "vultus-liveness"}


def compile_pipelines(folder: Path) -> dict[Task, Path]:
    """Write `<folder>/<pipeline>.yaml` for both tasks; kfp checks types while it compiles."""
    from kfp import compiler

    from pipelines.liveness import liveness
    from pipelines.recognition import recognition

    functions: dict[Task, Any] = {Task.RECOGNITION: recognition, Task.LIVENESS: liveness}
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for task, function in functions.items():
        file = folder / f"{NAMES[task]}.yaml"
        compiler.Compiler().compile(function, str(file))
        written[task] = file
    return written
