"""Sabotaged PAD panels are refused by a reason that names the fault; an honest retraining is not."""

import re
import sys

import pytest

from components.promote import PromoteParams
from support.crops import make_crops
from support.panels import Panel, PanelShop
from support.pretrained import weights_folder
from support.sabotage_pad import PadSabotage, sabotaged
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PanelShop:
    weights_folder("lite0")
    root = tmp_path_factory.mktemp("panels")
    store = FolderStore(root / "home" / "store")
    crops = make_crops(root / "crops", store, subjects=48, images=5)
    return PanelShop(root, crops, PromoteParams(replicates=100), slowness=5)


@pytest.fixture(scope="module")
def base(shop: PanelShop) -> Panel:
    """Promoted as the first."""
    made = shop.trained("base")
    first = shop.submit("first", made)
    assert first.decision == "passed", first.reasons
    return made


@pytest.mark.parametrize("fault", list(sabotaged()), ids=str)
def test_a_sabotaged_panel_is_refused_by_the_name_of_its_fault(
    shop: PanelShop, base: Panel, fault: PadSabotage
) -> None:
    made, options = fault.made(shop, base)
    report = shop.submit(str(fault).replace(" ", "-"), made, **options)
    sys.stdout.write(f"{fault}: {report.decision}: {' | '.join(report.reasons)}\n")
    assert report.decision == "refused"
    assert re.search(fault.said, "\n".join(report.reasons)), report.reasons


def test_an_honest_retraining_is_refused_for_nothing_but_a_worse_figure(
    shop: PanelShop, base: Panel
) -> None:
    report = shop.submit("honest", shop.trained("again", seed=1))
    worse = [check.rule for check in report.checks if check.outcome == "refused"]
    assert set(worse) <= {"comparison", "verdict"}, report.reasons


def test_every_kind_is_there() -> None:
    assert len({one.kind for one in sabotaged()}) == 10
