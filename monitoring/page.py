"""drift.html: what happened, since when, how sure, what to do, in that order; the numbers below."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitoring.advice import outcome
from monitoring.examination import Examination
from monitoring.findings import Finding, PermutedFinding
from monitoring.params import MonitorParams
from monitoring.policy import Decision
from monitoring.reference import Reference
from monitoring.security import AttackReport
from monitoring.sentence import level, phrase, ranked, since, span
from monitoring.window import Window
from vultus.contracts.traffic import DriftReport
from vultus.contracts.words import Verdict as Word
from vultus.reports import Block, Heading, Picture, Table, Text, Verdict, to_html
from vultus.reports.charts import histogram_chart
from vultus.reports.courses import Course, course_chart, share_chart

_WORDS = {"ok": Word.PASS, "drift": Word.FAIL, "not_enough_data": Word.NOT_ENOUGH_DATA}
_COURSES = 3


def drift_page(
    found: Examination, report: DriftReport, decision: Decision, steps: Sequence[str]
) -> str:
    """One self-contained page."""
    window = found.window
    rows = tuple((name, str(value)) for name, value in report.params.items())
    blocks: list[Block] = [
        Verdict(_WORDS[report.status], report.answer, _label(found, report)),
        _first(found, decision, steps),
        *_pictures(found.findings),
        *_people(found.permuted),
        *_moved(found.findings, found.permuted, window),
        *_attacks(found.attacks, found.reference),
        *_sure(report, found.params),
        *_all_tests(found.findings, found.permuted),
        *_left_out(found),
        Heading("Parameters"),
        Table(("parameter", "value"), rows, (1,)),
    ]
    return to_html(f"Traffic, {span(window)}" if window.rows else "Traffic: none yet", blocks)


def _label(found: Examination, report: DriftReport) -> str:
    """The one word above the sentence."""
    moved = any(one.drifted for one in found.findings) or any(one.drifted for one in found.permuted)
    if report.status == "drift":
        words = ["ATTACKS"] * found.attacks.alarming + ["DRIFT"] * moved
        return " · ".join(words)
    return "NO CHANGE" if report.status == "ok" else "NOT ENOUGH DATA"


def _first(found: Examination, decision: Decision, steps: Sequence[str]) -> Block:
    """Since when, how sure, what to do, what the watchdog did."""
    rows: list[tuple[str, str]] = []
    lead = next((one for one in ranked(found.findings) if one.onset is not None), None)
    people = next((one for one in found.permuted if one.drifted), None)
    onset = found.attacks.onset
    for one in (lead, people):
        onset = one.onset if onset is None and one is not None else onset
    if onset is not None:
        rows.append(("When", since(onset, found.window).capitalize().replace("utc", "UTC")))
    p = lead.p if lead is not None else people.p if people is not None else None
    if p is not None:
        odds = "less than 1 in 10,000" if p < 1e-4 else f"at most {p:.2g}"
        rows.append(
            ("How sure", f"Chance alone would show such a difference with probability {odds}.")
        )
    elif found.attacks.raised:
        rows.append(("How sure", "The intervals of the usual and the present share are apart."))
    rows += [("What to do", " ".join(steps)), ("Decided", outcome(decision))]
    return Table(("", ""), tuple(rows))


def _pictures(findings: Sequence[Finding]) -> Iterator[Block]:
    """The course of the columns that moved: the cause, what it did to scores, then others."""
    seen: set[str] = set()
    causes = ranked(findings)
    order = {"score": 0, "pad_score": 1}  # a margin is drawn only where the score stood still
    effects = sorted(causes[1:], key=lambda one: order.get(one.sample.column, 2))
    for one in [*causes[:1], *effects]:
        sample, onset = one.sample, one.onset
        twice = sample.column == "margin" and "score" in seen
        if onset is None or twice or sample.column in seen or len(seen) == _COURSES:
            continue
        seen.add(sample.column)
        low, middle, high = np.quantile(sample.reference, [0.05, 0.5, 0.95])
        usual = (float(low), float(middle), float(high))
        course = Course(sample.current, sample.times, usual, (onset.start, onset.end))
        name = sample.column.removeprefix("quality_").replace("_", " ")
        text = f"{name} in {sample.stratum}"
        yield Heading(text.capitalize(), 2)  # keeps each pair of charts together
        yield Picture(course_chart(course, name), "svg", f"{text} over time", "over time")
        groups = {
            "usual": sample.reference.astype(np.float32),
            "now": sample.current.astype(np.float32),
        }
        yield Picture(
            histogram_chart(groups, name),
            "svg",
            alt=f"{text}, distribution",
            caption="the whole window against the reference",
        )


def _people(permuted: Sequence[PermutedFinding]) -> Iterator[Block]:
    """The course of a population that moved, along the direction in which it moved."""
    for one in permuted:
        course, onset = one.test.course, one.onset
        if course is None or onset is None:
            continue
        low, middle, high = np.quantile(course.reference, [0.05, 0.5, 0.95])
        drawn = Course(
            course.current,
            course.times,
            (float(low), float(middle), float(high)),
            (onset.start, onset.end),
        )
        text = f"who comes, as seen in the sketches of {one.test.operation}"
        yield Picture(
            course_chart(drawn, "likeness to the new people"),
            "svg",
            alt=f"{text}, over time",
            caption=f"{text}: likeness to the people of this window that the reference has not",
        )


def _moved(
    findings: Sequence[Finding], permuted: Sequence[PermutedFinding], window: Window
) -> Iterator[Block]:
    rows = [
        (
            phrase(one),
            str(one.sample.stratum),
            f"{level(one.sample.column, one.onset.before)} → "
            f"{level(one.sample.column, one.onset.now)}",
            since(one.onset, window),
            f"{one.statistics.wasserstein:.2f} (limit {one.limit:.2f})",
            _chance(one.p),
        )
        for one in ranked(findings)
        if one.onset is not None
    ]
    for other in permuted:
        if other.drifted:
            test = other.test
            rows.append(
                (
                    "other people" if test.column == "sketch" else f"share of {test.category}",
                    test.operation,
                    "–" if test.column == "sketch" else f"{test.before:.0%} → {test.now:.0%}",
                    "–" if other.onset is None else since(other.onset, window),
                    f"{test.statistic:.3f} (limit {test.effect:.3f})",
                    _chance(other.p),
                )
            )
    if rows:
        yield Heading("What moved")
        yield Table(
            ("what", "in", "from → to", "when", "shift", "chance alone"),
            tuple(rows),
            (2, 4, 5),
            "Shift: Wasserstein distance in standard deviations of the reference; of people, the mean "
            "squared shift of their sketches. Chance alone: "
            "probability of such a difference where nothing changed, after all tests of this pass "
            "are accounted for.",
        )


def _attacks(attacks: AttackReport, reference: Reference) -> Iterator[Block]:
    share, expected, burst = attacks.share, attacks.expected, attacks.burst
    if share is None:
        return
    yield Heading("Attacks")
    rows = [
        ("this window", f"{share.value:.1%}", f"{share.low:.1%} – {share.high:.1%}", f"{share.n:,}")
    ]
    source = "the reference window" if reference.live else "BPCER of the PAD champion"
    if expected is not None:
        rows.append(
            (
                f"usual ({source})",
                f"{expected.value:.1%}",
                f"{expected.low:.1%} – {expected.high:.1%}",
                f"{expected.n:,}",
            )
        )
    yield Table(
        ("", "taken for attacks", "95 % interval", "faces"),
        tuple(rows),
        (1, 2, 3),
        "A PAD network refuses some bona fide faces too; only what is beyond the usual share counts.",
    )
    yield from _attack_course(attacks)
    if expected is None:
        yield Text("What is usual is not known here, so only bursts were looked for.", quiet=True)
    if burst is not None:
        where = f", device {burst.device}" if burst.device else ""
        yield Text(
            f"Densest burst: {burst.attacks} attacks among {burst.faces} faces, "
            f"{burst.start:%d %b %H:%M:%S} to {burst.end:%H:%M:%S} UTC{where}; chance alone "
            f"{_chance(burst.p)}."
        )


def _attack_course(attacks: AttackReport) -> Iterator[Block]:
    """How the share moved over the window, where it is alarming."""
    if attacks.course is None or not attacks.alarming:
        return
    expected = attacks.expected
    usual = (0.0, 0.0, 0.0)
    if expected is not None:
        usual = (expected.low, expected.value, expected.high)
    changed = None if attacks.onset is None else (attacks.onset.start, attacks.onset.end)
    course = Course(attacks.course.current, attacks.course.times, usual, changed)
    yield Picture(
        share_chart(course, "taken for attacks, %"),
        "svg",
        alt="share of faces taken for attacks over time",
        caption="Share of faces taken for attacks, in stretches of equally many requests",
    )


def _sure(report: DriftReport, params: MonitorParams) -> Iterator[Block]:
    yield Heading("How sure is this?")
    yield Text(
        f"Where nothing has changed, at most {params.false_alarm_rate:.0%} of passes say that "
        "something has: the probabilities of all tests are corrected together (Holm within, "
        "Bonferroni between columns, populations and attacks). On top of that a change must be "
        "large enough to matter. It holds for requests that do not depend on each other; the same "
        "people coming again and again make it somewhat optimistic. Scores are compared within one "
        "operation and decision, because the share of mated comparisons differs from door to door."
    )
    yield Text(f"Reference: {report.reference}.", quiet=True)


def _all_tests(findings: Sequence[Finding], permuted: Sequence[PermutedFinding]) -> Iterator[Block]:
    rows = [
        (
            one.sample.column,
            str(one.sample.stratum),
            f"{one.sample.reference.size:,} / {one.sample.current.size:,}",
            f"{level(one.sample.column, float(np.median(one.sample.reference)))} / "
            f"{level(one.sample.column, float(np.median(one.sample.current)))}",
            f"{one.statistics.wasserstein:.2f} / {one.limit:.2f}",
            _chance(one.p),
            "moved" if one.drifted else "–",
        )
        for one in findings
    ]
    rows += [
        (
            one.test.column,
            one.test.operation,
            "–",
            "–",
            f"{one.test.statistic:.3f} / {one.test.effect:.3f}",
            _chance(one.p),
            "moved" if one.drifted else "–" if one.test.judged else "not judged",
        )
        for one in permuted
    ]
    if rows:
        yield Heading("All tests")
        columns = ("column", "in", "rows before / now", "median before / now", "shift / limit")
        yield Table(
            (*columns, "chance alone", ""),
            tuple(rows),
            (2, 3, 4, 5),
            "“not judged”: a laboratory's people are never the door's; the sketches of the population "
            "count from the day a live window is confirmed (vultus monitor --confirm). Evidently's "
            "own page beside this one (evidently.html) draws every pair of distributions.",
        )


def _left_out(found: Examination) -> Iterator[Block]:
    thin, skipped = found.thin, [*found.window.skipped, *found.reference.skipped]
    if thin or skipped:
        yield Heading("Not looked at")
    if thin:
        yield Table(
            ("operation / decision", "rows now", "rows in the reference"),
            tuple((str(one.stratum), f"{one.current:,}", f"{one.reference:,}") for one in thin),
            (1, 2),
            f"A stratum is compared from {found.params.min_rows} rows on both sides on.",
        )
    if skipped:
        yield Table(
            ("file", "why it was skipped"),
            tuple((str(one.file), one.reason) for one in skipped),
        )


def _chance(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}" if p < 1 else "1"
