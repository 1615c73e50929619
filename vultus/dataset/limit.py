"""One thing that a data version cannot show, and the words it is said with."""

from dataclasses import dataclass

from vultus.metrics import wilson


@dataclass(frozen=True)
class Limit:
    """One thing that this data cannot show.

    claim: the plain sentence; seen: what was counted; needed: what it would take; why: what goes
    wrong if one trusts it all the same.
    """

    topic: str
    claim: str
    seen: str
    needed: str
    why: str


def share_of(part: int, whole: int) -> str:
    """`3 of 72 pictures, 4.2 %` with its interval."""
    low, high = wilson(part, whole)
    return (
        f"{part:,} of {whole:,} pictures, {100 * part / max(whole, 1):.1f} % "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f})"
    )


def percent(rate: float) -> str:
    """A rate in per cent, two digits."""
    return f"{100 * rate:.2g} %" if rate < 1 else "100 %"


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def many(count: int, noun: str) -> str:
    """`1 subject`, `2 subjects`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
