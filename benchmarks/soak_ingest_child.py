"""The ingest that `soak_ingest` kills; a process of its own, with workers of its own."""

import sys
from pathlib import Path

from benchmarks.soak_ingest import take

if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]), processes=2)
