"""Every PAD network trained alike on the crops of the newest run, then judged on its test split.

Without a frequency branch, so that the backbones are compared, and about 200 steps each on small crops:
the table shows how far that carries and what it costs, not what a network could reach. lite0-frozen
has no steps: its head is fitted on as many pictures. xception takes ten times as long as the others and
is left out unless it is named. The folder keeps the exported networks for `make soak-pad_zoo`, which
shows them real presentations.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any, get_args

from benchmarks.machine import say, weights_folder
from components.evaluate import EvaluateParams, evaluate_model
from components.evaluate.contenders import exported
from components.evaluate.contest import compare
from components.evaluate.cost import processor
from components.evaluate.report_contest import contest_blocks
from components.export import ExportParams, export_model
from components.train import TrainParams, train_model
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.contracts.models import OnnxModel
from vultus.reports import to_html
from vultus.storage import FolderStore

NAMES = get_args(TrainParams.model_fields["pad_network"].annotation)
_QUICK = tuple(name for name in NAMES if name != "xception")


def main() -> None:
    """Train, compare, print one JSON summary; the report lies in the folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, help="folder of models and report; default: a new one")
    options.add_argument("--networks", nargs="+", default=_QUICK, choices=NAMES)
    options.add_argument("--frequency", default="none", choices=("none", "fft", "dct"))
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--limit", type=int, default=640, help="training pictures")
    options.add_argument("--pictures", type=int, default=400, help="of validation and of test")
    options.add_argument("--side", type=int, default=64)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    home = Home(Path(os.environ.get("VULTUS_HOME", ".vultus")).absolute())
    out = given.out or Path(tempfile.mkdtemp(prefix="vultus-pad-zoo-"))
    recipe = {
        "task": "liveness", "pad_member": "own", "views": 1, "epochs": given.epochs,
        "batch": given.batch, "limit": given.limit, "pad_side": given.side, "seed": given.seed,
        "pad_frequency": given.frequency,
    }  # fmt: skip
    judging = EvaluateParams(pictures=given.pictures, worst=0)
    crops, store = newest_crops(home), FolderStore(home.store)
    contenders, seconds = [], {}
    for name in given.networks:
        began = time.process_time()
        folder = made(out / name, {**recipe, "pad_network": name}, judging, crops, store)
        seconds[name] = round(time.process_time() - began, 1)
        contenders.append(exported(name, OnnxModel.open(folder)))
    lines = compare(contenders, FaceCrops.open(crops).crops, judging, store, out / "int8")
    blocks = contest_blocks(lines, processor())
    (out / "report.html").write_text(to_html("PAD networks side by side", blocks), "utf-8")
    say(
        {
            "crops": str(crops),
            "recipe": recipe,
            "report": str(out / "report.html"),
            "cpu_s_train_judge_export": seconds,
            "networks": [line.model_dump(mode="json") for line in lines],
        }
    )


def newest_crops(home: Home) -> Path:
    """The FaceCrops of the newest run; stops where there is none."""
    runs = sorted(home.runs.glob("*/crop/crops"), key=lambda place: place.stat().st_mtime)
    if not runs:
        raise SystemExit(f"no run left its crops in {home.runs}; `vultus run liveness` makes some")
    return runs[-1]


def train_and_judge(
    folder: Path, params: dict[str, Any], judging: EvaluateParams, crops: Path, store: FolderStore
) -> None:
    """Leave a Checkpoint and its EvaluationReport in the folder, as `checkpoint` and `evaluation`."""
    train_model(
        crops,
        folder / "checkpoint",
        TrainParams.model_validate(params),
        store=store,
        tracker=None,
        resume=folder / "state",
        weights=weights_folder(),
    )
    evaluate_model(folder / "checkpoint", crops, folder / "evaluation", judging, store=store)


def made(
    folder: Path, params: dict[str, Any], judging: EvaluateParams, crops: Path, store: FolderStore
) -> Path:
    """Train, judge and export one; a folder that has its model already is left as it is."""
    if (folder / "model" / "manifest.json").exists():
        return folder / "model"
    train_and_judge(folder, params, judging, crops, store)
    export_model(
        folder / "checkpoint", folder / "evaluation", folder / "model", ExportParams(), store=store
    )
    return folder / "model"


if __name__ == "__main__":
    main()
