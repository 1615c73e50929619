"""All real faces and presentations beside the checkout, as `tests/realdata` asks them."""

import os
import subprocess
import sys

from benchmarks.machine import say


def main() -> None:
    """Run the real-data tests on everything, not on a part; their figures go to stderr."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "realdata", "tests/realdata"]
    done = subprocess.run(
        command, env={**os.environ, "VULTUS_SOAK": "1"}, stdout=sys.stderr, check=False
    )
    say({"exit_code": done.returncode})
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
