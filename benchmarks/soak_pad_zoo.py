"""Every PAD network of `make bench-pad_zoo` on the real presentations beside the checkout.

`--models` is the folder that the bench filled; without it the bench runs first, with its defaults.
No target: the networks are trained for about 200 steps on simulated attacks, and the table says how
far that carries.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import say


def main() -> None:
    """Run `tests/realdata/test_pad_zoo.py`; its figures go to stderr."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", type=Path)
    given = options.parse_args()
    models = (given.models or _trained()).absolute()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "realdata"]
    command.append("tests/realdata/test_pad_zoo.py")
    env = {**os.environ, "VULTUS_PAD_MODELS": str(models)}
    done = subprocess.run(command, env=env, stdout=sys.stderr, check=False)
    say({"exit_code": done.returncode, "models": str(models)})
    raise SystemExit(done.returncode)


def _trained() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vultus-pad-zoo-"))
    command = [sys.executable, "-m", "benchmarks.pad_zoo", "--out", str(folder)]
    subprocess.run(command, stdout=sys.stderr, check=True)
    return folder


if __name__ == "__main__":
    main()
