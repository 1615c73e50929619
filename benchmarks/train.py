"""Training speed: our engine against the loop that everybody writes first.

That loop is a DataLoader whose `__getitem__` opens a JPEG, cuts it and makes floats of it, a network in
torch's default layout, and an eager loop. Ours decodes once into uint8, trains in channels-last, keeps
freed memory, and asks a frozen trunk once. Both train the same network from the same first weights on
the same pictures in the same order, without augmentation, in turn; the decoding of ours is counted.
Target on two cores: ≥ 2.5 times the pictures a second, the loss curve the same.

The two defaults, which train on top of a frozen trunk, run for as many epochs as they do by default:
what is gained there grows with the epochs, so one epoch is measured too. The liveness default has no
epochs: see `train_head`. Pictures: rendered people, through `vultus step ingest` and `crop`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.machine import say, weights_folder
from benchmarks.train_head import compared_heads
from benchmarks.train_naive import (
    Bench,
    first_adapter,
    naive_adapter,
    naive_embedder,
    naive_pad,
)
from benchmarks.train_turns import in_turn, speed
from components.train import TrainParams
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.contracts.words import Split
from vultus.networks.schedule import FitParams
from vultus.storage import FolderStore

_SAME = {"batch": 32, "ema": 0.0, "views": 1, "seed": 1, "pad_member": "own"}
_WHOLE = {"lr": 3e-4}
_NOTHING = {
    "chip_augment": dict.fromkeys(("flip", "gamma", "gain", "tint", "blur", "noise", "jpeg"), 0),
    "pad_augment": dict.fromkeys(("flip", "gain", "offset", "tint", "noise"), 0),
}
_TARGET = 2.5
_TOLERANCE = 0.02
"""Of the first epoch's loss. Both layouts sum in another order, and each step widens that a little."""


Training = Callable[[Bench, FitParams], list[float]]
_CASES = ("recognition default", "liveness default", "pad compact", "embedder edge")


def main() -> None:
    """Prepare, train in turn; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=32)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=4, help="of the networks trained whole")
    options.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    options.add_argument("--only", nargs="*", choices=_CASES, default=_CASES)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="vultus-bench-") as place:
        root = Path(place)
        table = prepared(root, given.people)
        found: dict[str, dict[str, Any]] = {}
        for threads in given.threads:
            for name in given.only:
                rows = measured(name, root, table, given.epochs, threads, given.rounds)
                found |= {f"{row}, {threads} thread(s)": figures for row, figures in rows.items()}
    met = {name: row["times_as_fast_by_the_clock"] >= _TARGET for name, row in found.items()}
    say({**found, "target": _TARGET, "target_met": met})


def measured(
    name: str, root: Path, table: pa.Table, epochs: int, threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """The rows of one case of `_CASES`."""
    if name == "recognition default":
        bench = bench_of(root, table, {"task": "recognition"})
        bench = replace(bench, first=first_adapter(bench))
        one = replace(bench, params=bench.params.model_copy(update={"epochs": 1}))
        return {
            name: compared(bench, naive_adapter, threads, rounds),
            f"{name}, one epoch": compared(one, naive_adapter, threads, rounds),
        }
    if name == "liveness default":
        return {name: compared_heads(bench_of(root, table, {"task": "liveness"}), threads, rounds)}
    whole = {**_WHOLE, "epochs": epochs}
    if name == "pad compact":
        bench = bench_of(root, table, {"task": "liveness", "pad_network": "compact", **whole})
        return {name: compared(bench, naive_pad, threads, rounds)}
    bench = bench_of(root, table, {"task": "recognition", "network": "edge", **whole})
    return {name: compared(bench, naive_embedder, threads, rounds)}


def prepared(root: Path, people: int) -> pa.Table:
    """Rendered people with simulated attacks, cropped; all in the train split."""
    (root / "home").mkdir()
    (root / "home" / "weights").symlink_to(weights_folder())
    command = [sys.executable, "-c", "from pipelines.cli import app; app()", "step"]
    source = f"source=synthetic:people={people},images=4"
    for words in (
        ["ingest", "--out", f"raw={root / 'raw'}", "--set", source, "--set", "seed=1"],
        ["crop", "--in", f"raw={root / 'raw'}", "--out", f"crops={root / 'crops'}"],
    ):
        environment = {**os.environ, "VULTUS_HOME": str(root / "home")}
        subprocess.run([*command, *words], check=True, env=environment, stdout=sys.stderr)
    return all_to_train(FaceCrops.open(root / "crops").crops)


def all_to_train(table: pa.Table) -> pa.Table:
    """Every row in the train split."""
    place = table.schema.get_field_index("split")
    everything = pa.array([Split.TRAIN.value] * len(table), table.schema.field(place).type)
    return table.set_column(place, table.schema.field(place), everything)


def bench_of(root: Path, table: pa.Table, params: dict[str, Any]) -> Bench:
    """What one task is trained on: bona fide alone for an embedder. `params` beat what is shared."""
    task = str(params["task"])
    if task == "recognition":
        own = [
            kind == "bona_fide" and not made
            for kind, made in zip(
                table["presentation"].to_pylist(), table["simulated"].to_pylist(), strict=True
            )
        ]
        table = table.filter(pa.array(own))
    whole = FaceCrops.open(root / "crops")
    FaceCrops.write(
        root / task, crops=table, quarantine=whole.quarantine, made_by="benchmarks", facts={}
    )
    return Bench(
        root,
        root / task,
        table.to_pylist(),
        FolderStore(Home(root / "home").store),
        TrainParams.model_validate({**_SAME, **_NOTHING, **params}),
    )


def compared(bench: Bench, naive: Training, threads: int, rounds: int) -> dict[str, Any]:
    """Both in turn: medians, ratios, and how far the loss curves lie apart."""
    turns = in_turn(bench, naive, threads, rounds)
    curves = {name: all_[-1].answer for name, all_ in turns.items()}
    apart = max(abs(a - b) for a, b in zip(curves["naive"], curves["ours"], strict=True))
    apart /= curves["naive"][0]
    return {
        "pictures": len(bench.rows),
        "epochs": bench.params.epochs,
        **speed(turns, len(bench.rows) * bench.params.epochs),
        "loss_curves": {name: [round(v, 4) for v in curve] for name, curve in curves.items()},
        "curves_apart_of_the_first_loss": round(apart, 5),
        "curve_equal": apart <= _TOLERANCE,
    }


if __name__ == "__main__":
    main()
