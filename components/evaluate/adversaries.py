"""What an attacker with gradients reaches: the embedder's decisions at the shared threshold.

The white box knows our weights. The surrogate is the public trunk without our adapter: what anybody can
download. Success is counted on trials that are decided rightly while untouched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.batch import Progress
from components.evaluate.comparisons import Comparisons
from components.evaluate.figures import curve_figure, rate_figure
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import fair_draw
from vultus.attacks.gradient import Objective, PixelRange, fgsm, patch, pgd
from vultus.contracts.arrays import RgbImage
from vultus.contracts.evaluation import Figure
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Store
from vultus.contracts.transform import RecognitionTransform, TensorParams
from vultus.faces.picture import decode_image
from vultus.faces.tensor import chip_tensor
from vultus.metrics import Ranking
from vultus.networks.adapter import AdaptedTrunk, UnitTrunk
from vultus.networks.load import network_from

LEVELS = (2.0, 4.0, 8.0)
"""Grey levels that a pixel may move."""
STEPS = 5
_PATCH_STEPS = 16
_FOREHEAD = (slice(22, 42), slice(26, 86))
"""Rows and columns of a chip of 112 that a sticker would cover."""
IMPERSONATION, EVASION = "impersonation", "evasion"


@dataclass(frozen=True)
class Attempt:
    """Share of trials whose decision an attack turned. levels: grey levels, None for the patch."""

    attack: str
    goal: str
    levels: float | None
    success: Figure


@dataclass(frozen=True)
class Adversarial:
    """attempts; strip: a face untouched and under each attack; detector: AUC of feature squeezing."""

    attempts: tuple[Attempt, ...]
    strip: tuple[RgbImage, ...]
    detector: Figure | None
    surrogate: str


@dataclass(frozen=True)
class _Trials:
    """Faces of one goal. inputs [N, 3, S, S]; references [N, D]; subjects int64 [N]; sign: +1 = to
    come near the reference, -1 = to leave it."""

    goal: str
    inputs: Tensor
    references: Tensor
    subjects: NDArray[np.int64]
    sign: float

    def objective(self, network: nn.Module) -> Objective:
        """Nearness of the embeddings to the references, or its opposite."""
        return lambda inputs: self.sign * (network(inputs) * self.references).sum(1)


def attack_embedder(
    checkpoint: Checkpoint,
    test: Comparisons,
    threshold: float,
    params: EvaluateParams,
    store: Store,
) -> Adversarial | None:
    """Every attack on `params.adversarial_faces` trials of each goal; None where the Param is 0."""
    transform = checkpoint.transform
    assert isinstance(transform, RecognitionTransform)
    if not params.adversarial_faces:
        return None
    network = network_from(checkpoint)
    surrogate = UnitTrunk(network.trunk).eval() if isinstance(network, AdaptedTrunk) else None
    pixels = pixels_of(transform.tensor)
    attempts: list[Attempt] = []
    strip: list[RgbImage] = []
    goals = list(_trials(test, threshold, transform, params, store))
    progress = Progress("adversarial", sum(3 * len(LEVELS) + 1 for _ in goals))
    worst: list[tuple[Tensor, Tensor]] = []
    for trials in goals:
        for name, levels, changed in _attacks(trials, network, surrogate, pixels, params):
            turned = _turned(network, trials, changed, threshold)
            figure = rate_figure(
                "adversarial_success", turned, trials.subjects, None, params,
                slice_name=f"attack={name},goal={trials.goal}"
                + ("" if levels is None else f",levels={levels:g}"),
                method="simulated; of trials decided rightly while untouched",
            )  # fmt: skip
            attempts.append(Attempt(name, trials.goal, levels, figure))
            if trials.goal == IMPERSONATION and levels in (None, LEVELS[-1]):
                strip.append(_shown(changed[0], pixels, transform))
            if name == "PGD" and levels == LEVELS[-1]:
                worst.append((trials.inputs, changed))
            progress.step()
        if trials.goal == IMPERSONATION:
            strip.insert(0, _shown(trials.inputs[0], pixels, transform))
    return Adversarial(
        tuple(attempts),
        tuple(strip),
        squeezing_auc(network, worst, pixels, params),
        "the public trunk without our adapter" if surrogate is not None else "",
    )


def pixels_of(tensor: TensorParams) -> PixelRange:
    """What black and white become on their way into a network."""
    return PixelRange((0 - tensor.mean) * tensor.scale, (255 - tensor.mean) * tensor.scale)


def _attacks(
    trials: _Trials,
    network: nn.Module,
    surrogate: nn.Module | None,
    pixels: PixelRange,
    params: EvaluateParams,
) -> Iterator[tuple[str, float | None, Tensor]]:
    known, inputs = trials.objective(network), trials.inputs
    for levels in LEVELS:
        yield "FGSM", levels, fgsm(known, inputs, levels, pixels)
        yield "PGD", levels, pgd(known, inputs, levels, pixels, steps=STEPS, seed=params.seed)
        if surrogate is not None:
            guess = trials.objective(surrogate)
            moved = pgd(guess, inputs, levels, pixels, steps=STEPS, seed=params.seed)
            yield "PGD on a surrogate", levels, moved
    where = torch.zeros(112, 112, dtype=torch.bool)
    where[_FOREHEAD] = True
    side = inputs.shape[-1]
    where = torch.nn.functional.interpolate(where[None, None].float(), (side, side))[0, 0] > 0
    worn = patch(known, inputs, where, pixels, steps=_PATCH_STEPS, seed=params.seed)
    yield "sticker on the forehead", None, worn


def _turned(
    network: nn.Module, trials: _Trials, changed: Tensor, threshold: float
) -> NDArray[np.bool_]:
    """Whether the decision is now the attacker's, bool [N]."""
    with torch.inference_mode():
        scores = (network(changed) * trials.references).sum(1).numpy()
    accepted = scores >= np.float32(threshold)
    return np.asarray(accepted if trials.sign > 0 else ~accepted, bool)


def _trials(
    test: Comparisons,
    threshold: float,
    transform: RecognitionTransform,
    params: EvaluateParams,
    store: Store,
) -> Iterator[_Trials]:
    """Non-mated trials that are refused, mated ones that are accepted; fairly by subject."""
    accepted = test.scores >= np.float32(threshold)
    mated = test.mated
    for goal, right, sign in (
        (IMPERSONATION, ~mated & ~accepted, 1.0),
        (EVASION, mated & accepted, -1.0),
    ):
        places = np.flatnonzero(right)
        subjects = test.subjects[test.second[places]]
        drawn = places[fair_draw(subjects.tolist(), params.adversarial_faces, params.seed)]
        if not len(drawn):
            continue
        chips = [
            decode_image(store.get(test.rows[place]["chip_sha256"])) for place in test.second[drawn]
        ]
        yield _Trials(
            goal,
            torch.from_numpy(chip_tensor(np.stack(chips), transform)),
            torch.from_numpy(test.embeddings[test.first[drawn]]),
            test.subjects[test.second[drawn]],
            sign,
        )


def squeezing_auc(
    network: Callable[[Tensor], Tensor],
    pairs: Sequence[tuple[Tensor, Tensor]],
    pixels: PixelRange,
    params: EvaluateParams,
) -> Figure | None:
    """AUC of telling PGD pictures from untouched ones by feature squeezing.

    What the network says of a picture and of its 3 × 3 median differs more where an attack is in it.

    Args: network: inputs -> outputs [N, D]; pairs: untouched and attacked inputs.
    Source: Xu, Evans, Qi, Feature squeezing, NDSS 2018.
    """
    if not pairs:
        return None
    clean = np.concatenate([_squeezed(network, before, pixels) for before, _ in pairs])
    attacked = np.concatenate([_squeezed(network, after, pixels) for _, after in pairs])
    scores = np.concatenate([clean, attacked])
    positive = np.repeat([False, True], [len(clean), len(attacked)])
    people = np.tile(np.arange(len(clean)), 2)
    ranking = Ranking(scores, positive)
    return curve_figure(
        "adversarial_detector_auc",
        ranking.auc,
        positive,
        people,
        None,
        params,
        slice_name=f"attack=PGD,levels={LEVELS[-1]:g}",
        method="simulated; feature squeezing by a 3 × 3 median; who knows of it can evade it",
        error=False,
    )


def _squeezed(
    network: Callable[[Tensor], Tensor], inputs: Tensor, pixels: PixelRange
) -> NDArray[np.float32]:
    """Distance between the outputs for each picture and for its median, float32 [N]."""
    again = torch.empty_like(inputs)
    for place, one in enumerate(inputs):
        planes = [cv2.medianBlur(np.ascontiguousarray(plane), 3) for plane in _levels(one, pixels)]
        smooth = torch.from_numpy(np.stack(planes).astype(np.float32))
        again[place] = smooth * pixels.level + pixels.black
    with torch.inference_mode():
        apart = (network(inputs) - network(again)).norm(dim=1).numpy()
    return np.asarray(apart, np.float32)


def _levels(one: Tensor, pixels: PixelRange) -> NDArray[np.uint8]:
    """A network input in grey levels, uint8 [C, S, S]."""
    levels = ((one - pixels.black) / pixels.level).round().clamp(0, 255)
    return np.asarray(levels.byte().numpy(), np.uint8)


def _shown(one: Tensor, pixels: PixelRange, transform: RecognitionTransform) -> RgbImage:
    image = _levels(one, pixels).transpose(1, 2, 0)
    return np.ascontiguousarray(image if transform.tensor.order == "rgb" else image[..., ::-1])
