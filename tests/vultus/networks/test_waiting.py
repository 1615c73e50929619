"""How threads wait is asked for in time, and where nobody has said otherwise."""

import os
import subprocess
import sys

import pytest

from vultus.networks.waiting import wait_asleep

_ASK = """
import os
from vultus.networks.waiting import wait_asleep
print(wait_asleep(), os.environ.get("GOMP_SPINCOUNT"))
"""


def _asked(before: str = "", **said: str) -> str:
    """What a fresh process answers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GOMP_", "OMP_"))}
    ran = subprocess.run(
        [sys.executable, "-c", before + _ASK],
        env={**clean, **said, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.strip()


def test_it_is_asked_for_before_torch_is_there() -> None:
    assert _asked() == "True 300"


@pytest.mark.parametrize(
    ("said", "answer"),
    [({"OMP_WAIT_POLICY": "ACTIVE"}, "False None"), ({"GOMP_SPINCOUNT": "9"}, "False 9")],
)
def test_what_the_environment_says_stays(said: dict[str, str], answer: str) -> None:
    assert _asked(**said) == answer


def test_afterwards_it_would_change_nothing_and_is_not_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert wait_asleep() is False
    assert "GOMP_SPINCOUNT" not in os.environ


def test_the_train_step_brings_no_torch_before_it_asks() -> None:
    """Or it would ask in vain: what the KFP task imports must not import torch."""
    assert _asked("import components.train\nfrom components.door import open_door\n") == "True 300"
