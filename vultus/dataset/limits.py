"""What a data version cannot support: each statement with its number, what it takes, and why.

Counts and intervals alone decide; nothing here looks at a picture.
"""

from vultus.dataset.census import Census
from vultus.dataset.limit import Limit
from vultus.dataset.limits_people import of_conditions, of_groups, of_origin, of_time
from vultus.dataset.limits_trials import of_attacks, of_comparisons


def limits_of(census: Census, *, enough: int, noise_missing: str = "") -> list[Limit]:
    """Every limit that holds for this version, the gravest topics first.

    Args:
        enough: subjects from which a group counts as covered.
        noise_missing: why the labels were not judged; empty where they were.
    """
    found = [
        *of_comparisons(census),
        *of_attacks(census),
        *of_origin(census),
        *of_groups(census, enough),
        *of_conditions(census),
        *of_time(census),
    ]
    if noise_missing:
        found.append(
            Limit(
                "labels",
                "Whether each picture shows the person it is filed under was not checked.",
                noise_missing,
                "the packaged recogniser's weights, then `vultus data report` again",
                "wrong labels teach a recogniser to confuse people, and make its figures too bad or "
                "too good",
            )
        )
    return found
