"""What an attacker with gradients reaches at our own PAD member: attacks that pass as bona fide."""

import numpy as np
import torch

from components.batch import Progress
from components.evaluate.adversaries import (
    LEVELS,
    STEPS,
    Adversarial,
    Attempt,
    pixels_of,
    squeezing_auc,
)
from components.evaluate.figures import codes_of, rate_figure
from components.evaluate.liveness import LivenessResult
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import fair_draw
from vultus.attacks.gradient import fgsm, pgd
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Store
from vultus.faces.picture import decode_image
from vultus.faces.tensor import pad_tensor
from vultus.networks.load import OWN_MEMBER, network_from

PASSING = "attack passes"


def attack_member(
    checkpoint: Checkpoint, result: LivenessResult, params: EvaluateParams, store: Store
) -> Adversarial | None:
    """Attack presentations that our own member refuses, changed until it accepts them.

    Each scale's crop is changed on its own, though they show the same pixels: an upper bound of what
    one changed picture reaches. Returns: None where the Param is 0 or nothing is refused.
    """
    member = next((m for m in result.transform.members if m.name == OWN_MEMBER), None)
    if member is None or not params.adversarial_faces:
        return None
    threshold, test = result.thresholds[OWN_MEMBER], result.test
    refused = np.flatnonzero(~test.bona_fide & (test.scores[OWN_MEMBER] < threshold))
    kinds = test.species[refused].tolist()
    drawn = refused[fair_draw(kinds, params.adversarial_faces, params.seed)]
    if not len(drawn):
        return None
    images = [decode_image(store.get(test.rows[place]["context_sha256"])) for place in drawn]
    boxes = np.array([test.rows[place]["context_box"] for place in drawn], np.float32)
    crops = pad_tensor(images, boxes, scales=member.scales, params=member.tensor)
    inputs = torch.from_numpy(crops)
    pixels = pixels_of(member.tensor)
    network = network_from(checkpoint)
    subjects = codes_of([test.subjects[place] for place in drawn])
    attempts, progress = [], Progress("adversarial", 2 * len(LEVELS))
    moved = inputs
    for levels in LEVELS:
        for name in ("FGSM", "PGD"):
            if name == "FGSM":
                changed = fgsm(network, inputs, levels, pixels)
            else:
                changed = pgd(network, inputs, levels, pixels, steps=STEPS, seed=params.seed)
                moved = changed if levels == LEVELS[-1] else moved
            with torch.inference_mode():
                passed = torch.sigmoid(network(changed)).numpy() >= np.float32(threshold)
            figure = rate_figure(
                "adversarial_success",
                np.asarray(passed, bool),
                subjects,
                None,
                params,
                slice_name=f"member={OWN_MEMBER},attack={name},levels={levels:g}",
                method="simulated; of attack presentations refused while unchanged",
            )
            attempts.append(Attempt(name, PASSING, levels, figure))
            progress.step()
    detector = squeezing_auc(lambda x: network(x)[:, None], [(inputs, moved)], pixels, params)
    return Adversarial(tuple(attempts), (), detector, "")
