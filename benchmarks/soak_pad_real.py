"""Our own PAD member on all real presentations beside the checkout, against the MiniFASNet pair.

Targets: AUC above 0.753 and EER below 32 %, which DeepFace's pair reaches on the same pictures, trained
on renders and simulated attacks alone. Then leave-one-source-out: simulated, photographed, and both.
`--sheet` says where the sheet of failures goes: it shows real people, keep it out of the repository.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import say


def main() -> None:
    """Run `tests/realdata/test_pad_own.py` on everything; its figures go to stderr."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--sheet", type=Path, default=Path(tempfile.gettempdir()) / "vultus-pad-failures.png"
    )
    place = options.parse_args().sheet.absolute()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "realdata"]
    command.append("tests/realdata/test_pad_own.py")
    done = subprocess.run(
        command,
        env={**os.environ, "VULTUS_SOAK": "1", "VULTUS_SHEET": str(place)},
        stdout=sys.stderr,
        check=False,
    )
    say({"exit_code": done.returncode, "sheet": str(place)})
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
