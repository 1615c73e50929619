"""Threads of a network sleep while they wait for one another, instead of keeping a core busy.

GNU's OpenMP, which torch computes with, lets a thread that is done turn in a loop for milliseconds. That
is cheapest where nobody else wants the core. Where somebody does, as beside the other pipeline of
`make run`, it takes the core from whoever is waited for: see "Speed" in components/train/README.md.
"""

import os
import sys

PATIENT = ("GOMP_SPINCOUNT", "300")
"""A few microseconds. 20,000 cost as much as the default, 3,000 a tenth more than 300."""
_SAID = ("OMP_WAIT_POLICY", PATIENT[0])


def wait_asleep() -> bool:
    """Ask for it, for the rest of the process. OpenMP reads it when torch is first imported.

    Returns: False, where that was before, or where the environment says how to wait already.
    """
    if "torch" in sys.modules or any(name in os.environ for name in _SAID):
        return False
    os.environ.update([PATIENT])
    return True
