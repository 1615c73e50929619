"""Freed memory stays with the process while a network is trained on a processor.

glibc gives large blocks back to the kernel as they are freed, and takes them again, page by page, for
the next layer. Whether it does depends on what was freed before: measured on AVX-512, one thread, a step
of the edge network with 64 faces had between 18,000 and 94,000 page faults, 4 to 17 % of its time; with
this none.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_MOST = 2**30


def keep_freed_memory() -> bool:
    """Tell malloc for the rest of the process; False, where the C library has no such setting."""
    try:
        tell = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # The threshold of mmap first: setting either switches glibc's own adjustment off.
    return bool(tell(_MMAP_THRESHOLD, _MOST)) and bool(tell(_TRIM_THRESHOLD, 2 * _MOST - 1))
