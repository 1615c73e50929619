"""Memory that a training gave back is not fetched from the kernel again."""

import platform
import subprocess
import sys

import pytest

_CHILD = """
import resource, sys
import numpy as np
from vultus.networks.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for turn in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(48 * 2**20, np.uint8) for _ in range(2)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    """Page faults of one more round of 96 MiB, 24,576 pages."""
    command = [sys.executable, "-c", _CHILD, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_blocks_are_used_again() -> None:
    assert _faults("kept") < 100 < _faults("given back")
