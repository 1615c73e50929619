"""The liveness default, one layer on a frozen trunk, against the loop that everybody writes first.

That loop shows every picture to the trunk in every epoch and moves the layer by Adam. Ours shows it once
and solves the same problem, which is convex, by Newton's method. There is no curve of epochs to lay one
upon the other, so what is compared is the loss over all pictures of the layer that each ends with, and
the logits that these layers give; and when the loop first came within 1 % of the least loss there is.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.machine import weights_folder
from benchmarks.train_naive import Bench, Pictures
from benchmarks.train_turns import in_turn, speed
from components.train.frozen import shares_of
from components.train.presentations import BONA_FIDE, groups_of
from vultus.contracts.models import Checkpoint
from vultus.networks.frozen_pad import SCALES, SIDE, Head
from vultus.networks.lite0 import WIDTH, Lite0, read_lite0
from vultus.networks.schedule import FitParams, learning_rate
from vultus.weights import locate

_NEAR = 0.01
"""Of the least loss: from there on the loop counts as done."""


@dataclass(frozen=True)
class Layer:
    """The loop's layer after an epoch: weight float64 [D], and the seconds it took to get there."""

    weight: NDArray[np.float64]
    bias: float
    clock: float


def compared_heads(bench: Bench, threads: int, rounds: int) -> dict[str, Any]:
    """Both in turn: speed, losses, logits."""
    bench = shown(bench)
    features = features_of(bench)
    bench = replace(bench, first=standard(bench, features))
    turns = in_turn(bench, naive_head, threads, rounds)
    layers, mine = turns["naive"][-1].answer, head_of(bench)
    losses = [loss_of(bench, features, worn(bench, layer)) for layer in layers]
    least = loss_of(bench, features, mine)
    near = next((n for n, loss in enumerate(losses) if loss <= least * (1 + _NEAR)), None)
    logits = mine(features), worn(bench, layers[-1])(features)
    seconds = turns["ours"][-1].clock
    return {
        "pictures": len(bench.rows),
        "epochs": bench.params.epochs,
        **speed(turns, len(bench.rows) * bench.params.epochs),
        "one_epoch_of_the_loop_s": round(layers[0].clock, 2),
        "ours_in_all_s": round(seconds, 2),
        "epochs_until_within_1_percent": None if near is None else near + 1,
        "times_as_fast_until_then": near and round(layers[near].clock / seconds, 2),
        "losses_after_epochs": [round(loss, 5) for loss in losses],
        "least_loss_ours": round(least, 5),
        "logits_apart_at_most": round(float(np.abs(logits[0] - logits[1]).max()), 4),
        "deviation_of_the_logits": round(float(logits[0].std()), 4),
        "decided_otherwise_at_0": int(((logits[0] > 0) != (logits[1] > 0)).sum()),
    }


def naive_head(bench: Bench, settings: FitParams) -> list[Layer]:
    """The loop; its mean and deviation of every number are given, as first weights are."""
    began, trunk = time.monotonic(), read_lite0(locate("lite0", weights_folder()))
    mean, deviation = (
        torch.from_numpy(bench.first[name]).float() for name in ("mean", "deviation")
    )
    weights = torch.from_numpy(_shares(bench) * len(bench.rows)).float()
    targets = torch.from_numpy(_bona_fide(bench)).float()
    layer, found = nn.Linear(WIDTH, 1), list[Layer]()
    nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)
    optimiser = torch.optim.Adam(layer.parameters())
    for epoch in range(settings.epochs):
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(bench.rows))
        loader = DataLoader(_pictures(bench), settings.batch, sampler=order.tolist())
        for step, (pixels, numbers) in enumerate(loader):
            done = epoch * len(loader) + step
            optimiser.param_groups[0]["lr"] = learning_rate(
                done, len(loader) * settings.epochs, settings
            )
            with torch.no_grad():
                known = (trunk(pixels) - mean) / deviation
            losses = functional.binary_cross_entropy_with_logits(
                layer(known).squeeze(1), targets[numbers], reduction="none"
            )
            pull = bench.params.head_pull / 2 * layer.weight.square().sum()
            optimiser.zero_grad()
            ((weights[numbers] * losses).mean() + pull).backward()
            optimiser.step()
        weight = layer.weight.detach().double().numpy()[0].copy()
        found.append(Layer(weight, layer.bias.item(), time.monotonic() - began))
    return found


def _pictures(bench: Bench) -> Pictures:
    """Crops, each with its number."""
    return Pictures(bench, np.arange(len(bench.rows)))


def shown(bench: Bench) -> Bench:
    """The same with the crops that the trunk looks at."""
    seen = {"pad_side": SIDE, "pad_scales": SCALES}
    return replace(bench, params=bench.params.model_copy(update=seen))


def standard(bench: Bench, features: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Mean and deviation of every number, [D] each, as ours takes them."""
    mean = features.T @ _shares(bench)
    spread = np.square(features - mean).T @ _shares(bench)
    return {"mean": mean, "deviation": np.sqrt(spread) + 1e-6}


def worn(bench: Bench, layer: Layer) -> Head:
    """The loop's layer as ours is written."""
    mean, deviation = (np.float64(bench.first[name]) for name in ("mean", "deviation"))
    return Head(mean, deviation, layer.weight, layer.bias)


def features_of(bench: Bench) -> NDArray[np.float64]:
    """What the trunk says of every picture, [N, D]: to judge by, outside of the clock."""
    trunk: Lite0 = read_lite0(locate("lite0", weights_folder()))
    with torch.no_grad():
        parts = [trunk(pixels) for pixels, _ in DataLoader(_pictures(bench), 32)]
    return np.asarray(torch.cat(parts).double().numpy())


def _shares(bench: Bench) -> NDArray[np.float64]:
    """How much each picture counts, 1 in all."""
    shares = shares_of(bench.rows, groups_of(bench.rows), bench.params)
    return np.asarray(shares / shares.sum())


def _bona_fide(bench: Bench) -> NDArray[np.bool_]:
    return np.asarray(groups_of(bench.rows) == BONA_FIDE)


def head_of(bench: Bench) -> Head:
    """What ours ended with, from its Checkpoint."""
    state = load_file(Checkpoint.open(bench.root / "checkpoint").path / "model.safetensors")
    mean, deviation, weight = (
        state[name].double().numpy().ravel() for name in ("mean", "deviation", "head.weight")
    )
    return Head(mean, deviation, weight, float(state["head.bias"]))


def loss_of(bench: Bench, features: NDArray[np.float64], head: Head) -> float:
    """Mean loss over the shares, and half the pull times the weight's square."""
    sign = np.where(_bona_fide(bench), 1.0, -1.0)
    data = _shares(bench) @ np.logaddexp(0, -sign * head(features))
    return float(data + bench.params.head_pull / 2 * head.weight @ head.weight)
