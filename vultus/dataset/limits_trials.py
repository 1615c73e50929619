"""What the number of people and presentations in test cannot support: error rates."""

import math
from collections.abc import Iterator

import numpy as np

from vultus.contracts.words import Species, Split
from vultus.dataset.bands import pictures_per_subject
from vultus.dataset.census import Census, Labels
from vultus.dataset.limit import Limit, listed, many, percent
from vultus.metrics import rule_of_three, trials_needed

_FMR = 1e-3
_FNMR = 0.01
_APCER = 0.05


def of_comparisons(census: Census) -> Iterator[Limit]:
    """FMR and FNMR that the test split is too small for."""
    own = census.own & census.labels["split"].where(Split.TEST)
    pictures = pictures_per_subject(census, own)
    people, mated = int((pictures > 0).sum()), int((pictures > 1).sum())
    pairs = people * (people - 1) // 2
    if rule_of_three(pairs) > _FMR:
        needed = math.ceil((1 + math.sqrt(1 + 8 * trials_needed(_FMR))) / 2)
        yield Limit(
            "false matches",
            _beyond("FMR", rule_of_three(pairs)),
            f"{many(people, 'subject')} in test, {many(pairs, 'pair')} of different people; without "
            f"one false match the 95 % bound is {percent(rule_of_three(pairs))} (rule of three)",
            f"at least {needed} subjects in test for {percent(_FMR)}",
            "a door set for 1 in 1,000 could let in many more, and nobody would see it here",
        )
    if rule_of_three(mated) > _FNMR:
        yield Limit(
            "false non-matches",
            _beyond("FNMR", rule_of_three(mated)),
            f"{many(mated, 'subject')} in test with two bona fide pictures or more",
            f"{trials_needed(_FNMR)} such subjects for {percent(_FNMR)}",
            "pictures of one person fail together, so people count, not pictures",
        )


def of_attacks(census: Census) -> Iterator[Limit]:
    """Species that are missing, simulated only, or too few for an APCER."""
    species = census.labels.get("species", Labels(np.full(census.rows, -1, np.int32), ()))
    missing = [kind.value for kind in Species if not (species.where(kind)).any()]
    attacks = census.attacks
    if missing:
        yield Limit(
            "attacks",
            f"Nothing can be said about {listed(missing)} attacks.",
            f"0 pictures of {listed(missing)}",
            f"{trials_needed(_APCER)} test presentations of each species for an APCER of "
            f"{percent(_APCER)}",
            "a network refuses what it has seen; what it has not seen may pass",
        )
    if attacks.any() and census.simulated[attacks].all():
        yield Limit(
            "attacks",
            "No statement about photographed attacks: all attacks are simulated.",
            f"{int(attacks.sum()):,} attack pictures, none of them captured by a camera",
            "captured attacks of each species, from several instruments and cameras",
            "a simulation has the traces that its author thought of, a real attack has others",
        )
    test = census.labels["split"].where(Split.TEST)
    few = []
    for kind in Species:
        count = int((species.where(kind) & test).sum())
        if 0 < count < trials_needed(_APCER):
            few.append(f"{kind.value} {count} (bound {percent(rule_of_three(count))})")
    if few:
        yield Limit(
            "attacks",
            f"An APCER of {percent(_APCER)} cannot be shown for every species.",
            f"test presentations: {', '.join(few)}",
            f"{trials_needed(_APCER)} of each species",
            "APCER is reported for the worst species, so the smallest one limits the statement",
        )


def _beyond(rate: str, bound: float) -> str:
    if bound >= 1:
        return f"No {rate} can be shown at all."
    return f"An {rate} below {percent(bound)} cannot be shown."
