"""Each PAI species of the newest run left out of training in turn, for the PAD networks named.

The figures are those of the table "Seen and unseen in training" of each evaluation report; the reports
stay in the folder. With `--sources` the sources are left out in turn too, where there are several.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import say
from benchmarks.pad_zoo import NAMES, newest_crops, train_and_judge
from components.evaluate import EvaluateParams
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.networks.load import OWN_MEMBER
from vultus.storage import FolderStore

_SHOWN = ("pad_auc", "apcer", "bpcer")


def main() -> None:
    """Train and judge once for each that is left out; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, help="folder of reports; default: a new one")
    options.add_argument("--networks", nargs="+", default=["lite0-frozen"], choices=NAMES)
    options.add_argument("--sources", action="store_true")
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--limit", type=int, default=400, help="training pictures")
    options.add_argument("--side", type=int, default=64)
    given = options.parse_args()
    home = Home(Path(os.environ.get("VULTUS_HOME", ".vultus")).absolute())
    crops, store = newest_crops(home), FolderStore(home.store)
    out = given.out or Path(tempfile.mkdtemp(prefix="vultus-pad-unseen-"))
    found: dict[str, Any] = {}
    for network in given.networks:
        for left_out in protocol(crops, given.sources):
            recipe = {
                "task": "liveness", "pad_member": "own", "views": 1, "epochs": given.epochs,
                "limit": given.limit, "pad_side": given.side, "pad_network": network,
                "leave_out": [left_out],
            }  # fmt: skip
            folder = out / f"{network}-{left_out.partition('=')[2]}"
            found.setdefault(network, {})[left_out] = judged(folder, recipe, crops, store)
    say({"crops": str(crops), "reports": str(out), "networks": found})


def protocol(crops: Path, sources: bool) -> list[str]:
    """What is left out in turn: every species, and every source if there are two or more."""
    table = FaceCrops.open(crops).crops
    species = sorted(set(table["species"].to_pylist()) - {None})
    places = sorted(set(table["source"].to_pylist())) if sources else []
    return [
        *(f"species={name}" for name in species),
        *(f"source={name}" for name in places if len(places) > 1),
    ]


def judged(
    folder: Path, recipe: dict[str, Any], crops: Path, store: FolderStore
) -> dict[str, dict[str, list[float | None]]]:
    """Slice -> figure -> value and interval, of our own member on test."""
    train_and_judge(folder, recipe, EvaluateParams(worst=0), crops, store)
    told: dict[str, dict[str, list[float | None]]] = {}
    for figure in EvaluationReport.open(folder / "evaluation").figures:
        part = figure.slice.removesuffix(f",{OWN_MEMBER}")
        if part.startswith("seen=") and part != figure.slice and figure.name in _SHOWN:
            told.setdefault(part, {})[figure.name] = [figure.value, figure.low, figure.high]
    return told


if __name__ == "__main__":
    main()
