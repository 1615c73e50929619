"""The sentence an operator reads first: what happened, where, since when, and what came with it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from monitoring.findings import Finding, PermutedFinding
from monitoring.onset import Onset
from monitoring.params import MonitorParams
from monitoring.reference import Reference
from monitoring.security import AttackReport
from monitoring.strata import SCORES, Thin
from monitoring.window import Window

_SAID = {
    "quality_under_exposure_prevention": ("pictures got darker", "pictures got brighter"),
    "quality_over_exposure_prevention": (
        "pictures got glaring (burnt out)",
        "fewer pictures are burnt out",
    ),
    "quality_sharpness": ("pictures got blurred", "pictures got sharper"),
    "quality_dynamic_range": ("pictures lost contrast", "pictures gained contrast"),
    "quality_inter_eye_distance": ("faces got smaller", "faces got larger"),
    "quality_head_pose": ("heads are turned away more", "heads face the camera more"),
    "quality_unified": ("picture quality fell", "picture quality rose"),
    "score": ("comparison scores fell", "comparison scores rose"),
    "margin": ("margins over the threshold fell", "margins over the threshold rose"),
    "pad_score": ("PAD scores fell", "PAD scores rose"),
    "latency_total_ms": ("answers got faster", "answers got slower"),
}
_CAUSES = (
    # What can be a cause of what comes after it, first.
    (
        "quality_under_exposure_prevention",
        "quality_over_exposure_prevention",
        "quality_sharpness",
        "quality_inter_eye_distance",
        "quality_head_pose",
        "quality_dynamic_range",
    ),
    ("quality_unified",),
    ("sketch",),
    ("score", "margin", "pad_score"),
    ("decision",),
    ("latency_total_ms",),
)


def answer(
    window: Window,
    reference: Reference,
    findings: Sequence[Finding],
    permuted: Sequence[PermutedFinding],
    attacks: AttackReport,
    thin: Sequence[Thin],
    params: MonitorParams,
) -> str:
    """One sentence for every outcome of a pass."""
    parts = []
    if attacks.alarming:
        parts.append(attack_phrase(attacks, window))
    drifted = [one for one in findings if one.drifted]
    others = [one for one in permuted if one.drifted]
    if drifted or others:
        parts.append(_change(window, reference, drifted, others))
    if parts:
        return _sentence("; ".join(parts))
    if not findings and not any(one.test.judged for one in permuted):
        return _too_little(window, reference, thin, params)
    strata = sorted({str(one.sample.stratum) for one in findings})
    return _sentence(
        f"no change: {window.rows:,} requests from {span(window)} look like {reference.name} "
        f"in {len(findings)} tests of {', '.join(strata)}"
    )


def attack_phrase(attacks: AttackReport, window: Window) -> str:
    """`7.9% of 418 faces were taken for attacks (5.7% to 10.9%; up to 2.1% is usual), ...`."""
    parts = []
    share, expected, burst = attacks.share, attacks.expected, attacks.burst
    if share is not None and attacks.raised and expected is not None:
        parts.append(
            f"{share.value:.1%} of {share.n:,} faces were taken for attacks "
            f"({share.low:.1%} to {share.high:.1%}; up to {expected.high:.1%} is usual)"
            + _most(attacks, window)
        )
    if burst is not None:
        where = "" if burst.device is None else f" at device {burst.device}"
        lead = f"{burst.attacks} attacks" if not parts else f"{burst.attacks} of them"
        parts.append(
            f"{lead} between {clock(burst.start, window)} and {clock(burst.end, window)} UTC{where}"
        )
    return ", ".join(parts)


def phrase(finding: Finding) -> str:
    """`pictures got darker`: what a drifted column means."""
    onset = finding.onset
    rose = onset is not None and onset.rose
    return _SAID[finding.sample.column][int(rose)]


def permuted_phrase(finding: PermutedFinding, window: Window) -> str:
    """What a drifted population or mix means."""
    test = finding.test
    if test.column == "sketch":
        when = "" if finding.onset is None else f" {since(finding.onset, window)}"
        return f"other people than in the reference stand at the camera{when}"
    verb = "rose" if test.now > test.before else "fell"
    return (
        f"the share of '{test.category}' in {test.operation} {verb} "
        f"from {test.before:.0%} to {test.now:.0%}"
    )


def since(onset: Onset, window: Window) -> str:
    """`since 14:00 UTC`, `between 14:00 and 15:10 UTC`, or `in the whole window`."""
    if onset.whole:
        return "in the whole window"
    if onset.ongoing:
        return f"since {clock(onset.start, window)} UTC"
    return f"between {clock(onset.start, window)} and {clock(onset.end, window)} UTC"


def clock(at: datetime, window: Window) -> str:
    """Hours and minutes; with the day, where the window has several."""
    start, end = window.start, window.end
    several = start is not None and end is not None and start.date() != end.date()
    return f"{at:%d %b %H:%M}" if several else f"{at:%H:%M}"


def span(window: Window) -> str:
    """`24 Nov 08:00 to 24 Nov 17:30 UTC`."""
    if window.start is None or window.end is None:
        return "no time at all"
    if window.start.date() == window.end.date():
        return f"{window.start:%d %b %H:%M} to {window.end:%H:%M} UTC"
    return f"{window.start:%d %b %H:%M} to {window.end:%d %b %H:%M} UTC"


def level(column: str, value: float) -> str:
    """A value in the column's own unit."""
    if column.startswith("latency"):
        return f"{value:.0f} ms"
    return f"{value:.0f}" if column.startswith("quality") else f"{value:.2f}"


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Drifted ones: possible causes before effects, the strongest column of a rank first, and of a
    column the stratum with most rows first, because it knows best since when."""
    rank = {column: place for place, group in enumerate(_CAUSES) for column in group}
    drifted = [one for one in findings if one.drifted]
    strongest = {
        column: max(one.strength for one in drifted if one.sample.column == column)
        for column in {one.sample.column for one in drifted}
    }
    return sorted(
        drifted,
        key=lambda one: (
            rank[one.sample.column],
            -strongest[one.sample.column],
            -one.sample.current.size,
        ),
    )


def _change(
    window: Window,
    reference: Reference,
    drifted: Sequence[Finding],
    others: Sequence[PermutedFinding],
) -> str:
    ordered = ranked(drifted)
    mixed = sorted(others, key=lambda one: (one.test.column != "sketch", -one.test.statistic))
    people = [one for one in mixed if one.test.column == "sketch"]
    mixed = [one for one in mixed if one not in people[1:]]  # said once, not an operation
    pictures = bool(ordered) and ordered[0].sample.column.startswith("quality")
    if mixed and mixed[0].test.column == "sketch" and not pictures:
        lead = permuted_phrase(mixed[0], window)
        mixed = mixed[1:]
    elif ordered:
        lead = _lead(ordered[0], window)
        first = ordered[0].sample.column
        ordered = [one for one in ordered if one.sample.column != first]
    else:
        lead, mixed = permuted_phrase(mixed[0], window), mixed[1:]
    against = "" if reference.live else " (against the evaluation data)"
    also = ", ".join(_followers(ordered, mixed, window))
    link = "; with it " if pictures else "; also "
    return lead + against + (link + also if also else "")


def _lead(finding: Finding, window: Window) -> str:
    onset, sample = finding.onset, finding.sample
    if onset is None:
        raise AssertionError("a drifted finding has an onset")
    verb = "rose" if onset.rose else "fell"
    name = sample.column.removeprefix("quality_")
    return (
        f"{phrase(finding)} {since(onset, window)}: {name} {verb} from "
        f"{level(sample.column, onset.before)} to {level(sample.column, onset.now)} "
        f"in {sample.stratum}"
    )


def _followers(
    rest: Sequence[Finding], others: Sequence[PermutedFinding], window: Window
) -> Iterator[str]:
    """What else moved, scores first, each thing once, at most three."""
    effects = sorted(rest, key=lambda one: one.sample.column not in SCORES)
    said = [phrase(one) for one in effects]
    said += [permuted_phrase(one, window) for one in others]
    # A margin is a score less a constant, the unified quality is made of the others.
    dull = ("margins", "picture quality") if len(set(said)) > 1 else ()
    unique = [text for text in dict.fromkeys(said) if not text.startswith(dull)]
    yield from unique[:3]
    if len(unique) > 3:
        yield f"and {len(unique) - 3} more"


def _most(attacks: AttackReport, window: Window) -> str:
    """`, most since 14:00 UTC at device door-2`."""
    onset = attacks.onset
    when = "" if onset is None or onset.whole else f" {since(onset, window)}"
    where = "" if attacks.device is None else f" at device {attacks.device}"
    return f", most{when}{where}" if when or where else ""


def _too_little(
    window: Window, reference: Reference, thin: Sequence[Thin], params: MonitorParams
) -> str:
    if not window.rows:
        return "No traffic in this window yet, so there is nothing to compare."
    if not reference.table.num_rows:
        return (
            f"{window.rows:,} requests, but nothing to compare them with: no model is promoted "
            "and no window was confirmed as healthy."
        )
    most = max((min(one.current, one.reference) for one in thin), default=0)
    return (
        f"Too little to say anything yet: {window.rows:,} requests, and no operation and decision "
        f"has {params.min_rows} rows on both sides (the largest has {most})."
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
