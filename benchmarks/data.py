"""The targets of the data steps, one part after the other: `--parts crop` runs one alone.

Each part is a module `benchmarks.data_<part>` with a summary of its own.
"""

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run the parts; what follows `--` goes to each of them."""
    here = Path(__file__).parent
    known = [file.stem.removeprefix("data_") for file in sorted(here.glob("data_*.py"))]
    known = [name for name in known if not name.endswith("_rival")]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", nargs="+", choices=known, default=known)
    given, rest = options.parse_known_args()
    failed = 0
    for part in given.parts:
        print(f"data: {part}", file=sys.stderr)
        command = [sys.executable, "-m", f"benchmarks.data_{part}", *rest]
        failed |= subprocess.run(command, check=False).returncode
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
