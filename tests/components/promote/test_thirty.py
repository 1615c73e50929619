"""Thirty sabotaged candidates are refused by a reason that names the fault; honest ones are not.

A few of them here; all thirty and ten retrainings with VULTUS_GATE=all, which `make soak-gate` sets.
"""

import os
import re
import sys

import pytest

from components.promote import PromoteParams, PromoteReport
from support.candidates import Recogniser, RecogniserShop, dressed
from support.crops import make_crops
from support.pretrained import weights_folder
from support.sabotage import BANDS, Sabotage, retrained, thirty, weaker
from vultus.contracts.transform import RecognitionTransform
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow
ALL = os.environ.get("VULTUS_GATE") == "all"
_HERE = ("shifted crop", "backdoor patch", "ruined subgroup")
CHOSEN = [one for one in thirty() if ALL or (one.number == 0 and one.kind in _HERE)]
SEEDS = range(10 if ALL else 1)


def base() -> Recogniser:
    """The packaged trunk."""
    file = weights_folder("sface") / "sface.onnx"
    return Recogniser(file.read_bytes(), RecognitionTransform())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> RecogniserShop:
    root = tmp_path_factory.mktemp("workshop")
    store = FolderStore(root / "home" / "store")
    plain = make_crops(root / "plain", store, subjects=48, images=5, attacks=False)
    crops = dressed(plain, root / "crops", store, BANDS)
    made = RecogniserShop(root, crops, PromoteParams(replicates=100), slowness=42)
    first = made.submit("first", weaker(base(), 0.25))
    assert first.decision == "passed", first.reasons
    return made


def say(name: str, report: PromoteReport) -> None:
    """For whoever runs the soak with -s."""
    sys.stdout.write(f"{name}: {report.decision}: {' | '.join(report.reasons)}\n")


@pytest.mark.parametrize("fault", CHOSEN, ids=str)
def test_a_sabotaged_candidate_is_refused_by_the_name_of_its_fault(
    shop: RecogniserShop, fault: Sabotage
) -> None:
    made, options = fault.made(shop, base())
    report = shop.submit(str(fault).replace(" ", "-"), made, **options)
    say(str(fault), report)
    assert report.decision == "refused"
    assert re.search(fault.said, "\n".join(report.reasons)), report.reasons


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_retraining_is_refused_for_nothing_but_a_worse_figure(
    shop: RecogniserShop, seed: int
) -> None:
    report = shop.submit(f"honest-{seed}", retrained(base(), seed))
    say(f"honest {seed}", report)
    worse = [check.rule for check in report.checks if check.outcome == "refused"]
    assert set(worse) <= {"comparison", "verdict"}, report.reasons


def test_every_kind_is_there() -> None:
    kinds = {one.kind for one in thirty()}
    assert (len(kinds), len(list(thirty()))) == (10, 30)
