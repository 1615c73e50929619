"""The `vultus` command answers at once: nothing heavy is imported before it is needed."""

import os
import subprocess
import sys
from pathlib import Path

from support.tree import CHECKOUT

HEAVY = (
    "torch",
    "mlflow",
    "evidently",
    "kfp",
    "kserve",
    "great_expectations",
    "onnxruntime",
    "cv2",
    "numpy",
    "pyarrow",
    "pydantic",
)
HELP = "import sys; sys.argv = ['vultus', '--help']; from pipelines.cli import app; app()"


def test_help_takes_less_than_half_a_second() -> None:
    """Processor time of the best of three: what other processes do is not the command's doing."""
    assert min(_seconds() for _ in range(3)) < 0.5


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom pipelines.cli import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0 and 'run' in result.output, result.output\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == []
    assert list(tmp_path.iterdir()) == []


def _seconds() -> float:
    process = subprocess.Popen(
        [sys.executable, "-c", HELP],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime
