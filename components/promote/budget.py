"""Speed and size against the champion, measured side by side on this machine."""

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from components.promote.params import PromoteParams
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.faces.alignment import TEMPLATE_SIDE

_CONTEXT_PX = 256
_SHORTEST_S = 0.004
"""CPU time of one measurement at least: the clock's steps must not decide."""


def budget_reasons(
    version: ModelVersion, champion: ModelVersion, params: PromoteParams
) -> Iterator[str]:
    """CPU time of one picture, candidate and champion in turn, medians; and bytes."""
    ours, theirs = megabytes(version), megabytes(champion)
    if ours > theirs * params.max_size_ratio:
        yield (
            f"its networks weigh {ours:.1f} MB, the champion's {theirs:.1f} MB; "
            f"{params.max_size_ratio:g} times as much may be"
        )
    mine, known = _paired_seconds(_work(version), _work(champion), params.latency_rounds)
    ratio = mine / known
    if ratio > params.max_latency_ratio:
        yield (
            f"slower: one picture takes {ratio:.1f} times the champion's CPU time "
            f"({1000 * mine:.2f} against {1000 * known:.2f} ms, medians of {params.latency_rounds} "
            f"interleaved rounds), {params.max_latency_ratio:g} times may be"
        )


def megabytes(version: ModelVersion) -> float:
    """Of all networks."""
    return sum(file.stat().st_size for file in version.path.rglob("*.onnx")) / 1e6


def _paired_seconds(
    ours: Callable[[], None], theirs: Callable[[], None], rounds: int
) -> tuple[float, float]:
    """Median CPU seconds of one call each; in turn, so that a busy machine slows both."""
    repeats = max(1, int(_SHORTEST_S / max(_seconds(theirs, 1), 1e-7)))
    repeats = min(repeats, 2000)
    times = [(_seconds(ours, repeats), _seconds(theirs, repeats)) for _ in range(rounds)]
    return median(one for one, _ in times), median(other for _, other in times)


def _seconds(work: Callable[[], None], repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - began) / repeats


def _work(version: ModelVersion) -> Callable[[], None]:
    """One picture through the version; called once, so that what is lazy is done."""
    transform = version.transform
    call = (
        _embedding(version, transform)
        if isinstance(transform, RecognitionTransform)
        else _judging(version, transform)
    )
    call()
    return call


def _embedding(version: ModelVersion, transform: RecognitionTransform) -> Callable[[], None]:
    from vultus.inference.encoder import OnnxEncoder

    encoder = OnnxEncoder(version.path / "model.onnx", transform)
    side = TEMPLATE_SIDE if transform.window is not None else transform.tensor.side
    chip = np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.uint8)

    def call() -> None:
        encoder.encode(chip)

    return call


def _judging(version: ModelVersion, transform: LivenessTransform) -> Callable[[], None]:
    """Every member once: which one a request meets depends on its room."""
    from vultus.inference.panel import OnnxPadMember

    scorers = [OnnxPadMember(version.path / m.file, m) for m in transform.members]
    image = (
        np.random.default_rng(0).integers(0, 256, (_CONTEXT_PX, _CONTEXT_PX, 3)).astype(np.uint8)
    )
    box = np.array([[96, 96, 160, 160]], np.float32)

    def call() -> None:
        for scorer in scorers:
            scorer.score([image], box)

    return call
