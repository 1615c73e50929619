"""Scores and figures of one evaluation -> where each requirement of the standards stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from vultus.contracts.evaluation import Figure
from vultus.contracts.words import Verdict
from vultus.metrics import (
    Interval,
    judge,
    trials_needed,
    trials_needed_for,
    worst_verdict,
)
from vultus.metrics.standards import (
    FMR_LIMIT,
    FNMR_LIMIT,
    ISO_PAD,
    NIST,
    NIST_IAPAR_LIMIT,
    OPERATION,
    PP_IAPAR_LIMITS,
    PP_MODULE,
    Finding,
    Standing,
)
from vultus.reports.standing_pad import iso_items
from vultus.reports.standing_trials import Flags, Trials, interval_of

_MIN_GROUP = 30


@dataclass(frozen=True)
class Observed:
    """An evaluation: its files as tables.

    scores: RECOGNITION_SCORES or PAD_SCORES; points: THRESHOLDS; lineage: LINEAGE.
    """

    figures: Sequence[Figure]
    scores: pa.Table
    points: pa.Table
    lineage: pa.Table

    @property
    def recognition(self) -> bool:
        """Whether these are comparisons, not presentations."""
        return "mated" in self.scores.column_names


def findings(seen: Observed) -> list[Finding]:
    """Every requirement of the three documents, in their order."""
    parts = [_rates(seen), _attacks(seen), _nist_rest(seen)]
    found = [finding for part in parts for finding in part]
    order = {PP_MODULE: 0, NIST: 1, ISO_PAD: 2}
    found += [] if seen.recognition else iso_items(seen.figures, seen.scores, seen.lineage)
    return sorted(found, key=lambda one: order[one.standard])


def overall(found: Sequence[Finding]) -> Verdict:
    """The worst of all that is a verdict."""
    return worst_verdict(one.standing.verdict for one in found)


def _rates(seen: Observed) -> Iterator[Finding]:
    """FMR and FNMR at the threshold that validation gives for the FMR the documents ask."""
    what = {
        "FMR": (FMR_LIMIT, "FAR ≤ 0.01 %", "one in 10,000 or better"),
        "FNMR": (FNMR_LIMIT, "FRR ≤ 5 %", "below 5 %"),
    }
    why = (
        "one comparison is one transaction here, and failures to acquire are not in it; threshold set "
        f"for FMR {FMR_LIMIT:g} on validation"
    )
    if not seen.recognition:
        for name, (_, pp, nist) in what.items():
            said = "a PAD model compares nobody; see the verdict of the recogniser"
            yield Finding(PP_MODULE, "FIA_MBV", pp, Standing.NOT_JUDGED, why=said)
            yield Finding(NIST, "3.2.3", f"{name} {nist}", Standing.NOT_JUDGED, why=said)
        return
    trials = Trials.of(seen.scores, seen.points, seen.lineage, FMR_LIMIT)
    for name, (limit, pp, nist) in what.items():
        errors, first, second = trials.errors(name)
        interval = interval_of(errors, first, second)
        shown, needed = _shown(errors, interval), _needed(limit, int(errors.sum()))
        whole = _over_all(seen) if name == "FMR" else None
        if whole is not None and whole.n > len(errors):
            # The scores list a draw; the figure was counted over all of them.
            interval = Interval(whole.low or 0.0, 1.0 if whole.high is None else whole.high)
            wrong = round((whole.value or 0) * whole.n)
            shown = f"{_spread(whole.value or 0, interval)}, {wrong:,} of {whole.n:,}"
            needed = _needed(limit, wrong)
        standing = Standing(judge(interval, limit).value)
        yield Finding(PP_MODULE, "FIA_MBV", pp, standing, shown, needed, why)
        yield Finding(NIST, "3.2.3", f"{name} {nist}", standing, shown, needed, why)
    yield _demographic(trials)


def _over_all(seen: Observed) -> Figure | None:
    """The FMR at this request over every comparison of the test split, where it was reported."""
    known = (
        figure for figure in seen.figures if figure.slice == "all" and figure.value is not None
    )
    for figure in known:
        asked = figure.name.removeprefix("realised_fmr_")
        if asked != figure.name and float(asked) == FMR_LIMIT:
            return figure
    return None


def _demographic(trials: Trials) -> Finding:
    """Our yardstick for "similar": every group keeps the limits that all together keep.

    Groups are those of declared attributes, and the skin-tone bands that the pictures were given.
    """
    said: list[Verdict] = []
    worst: tuple[float, str] = (-1.0, "")
    for name in trials.groups():
        part = trials.within(name)
        for rate, limit in (("FMR", FMR_LIMIT), ("FNMR", FNMR_LIMIT)):
            errors, first, second = part.errors(rate)
            if len(errors) < _MIN_GROUP:
                said.append(Verdict.NOT_ENOUGH_DATA)
                continue
            interval = interval_of(errors, first, second)
            said.append(judge(interval, limit))
            share = float(errors.mean()) / limit
            worst = max(worst, (share, f"{rate} of {name} {_shown(errors, interval)}"))
    return Finding(
        NIST,
        "3.2.3",
        "similar performance for people of different demographic groups",
        Standing(worst_verdict(said).value),
        f"{len(trials.groups())} groups, declared or estimated; worst: "
        f"{worst[1] or 'none could be judged'}",
        f"in each group {_needed(FMR_LIMIT, 0)} non-mated comparisons",
        "our yardstick: FMR and FNMR of every group keep the same limits at one threshold, "
        "on the comparisons that scores.parquet lists",
    )


def _attacks(seen: Observed) -> Iterator[Finding]:
    """IAPAR of the whole system where it was measured; else APCER, which bounds it from above."""
    own = [f for f in seen.figures if f.name == "iapar" and f.slice.startswith("species=")]
    bound = [f for f in seen.figures if f.name == "apcer" and f.slice.startswith("species=")]
    used, measured = (own, True) if own else (bound, False)
    real = bool(used) and not _simulated_attacks(seen)
    levels = zip(PP_IAPAR_LIMITS, ("first level", "second level"), strict=True)
    limits = [
        (PP_MODULE, "FIA_PAD", f"IAPAR ≤ {100 * limit:g} % ({level})", limit)
        for limit, level in levels
    ]
    for standard, clause, text, limit in (
        *limits,
        (NIST, "3.2.3", "IAPAR below 7 %", NIST_IAPAR_LIMIT),
    ):
        if not used:
            why = "no attack presentation is among the trials; see the verdict of the PAD model"
            yield Finding(standard, clause, text, Standing.NOT_JUDGED, why=why)
            continue
        yield Finding(
            standard,
            clause,
            text,
            _of_attacks(used, limit, real=real, measured=measured),
            "; ".join(_of_figure(f) for f in used),
            f"per species {trials_needed(limit):,} attacks, none accepted (rule of 3); "
            f"{trials_needed_for(limit, 0):,} by Clopper-Pearson",
            _reading(real=real, measured=measured),
        )


def _of_attacks(figures: Sequence[Figure], limit: float, *, real: bool, measured: bool) -> Standing:
    """The worst species counts."""
    verdict = worst_verdict(
        judge(None if f.low is None or f.high is None else Interval(f.low, f.high), limit)
        for f in figures
    )
    return Standing(_allowed(verdict, real=real, measured=measured).value)


def _allowed(verdict: Verdict, *, real: bool, measured: bool) -> Verdict:
    """Simulated attacks prove nothing about real ones; an APCER that fails is no IAPAR that does."""
    if verdict is Verdict.PASS and not real:
        return Verdict.NOT_ENOUGH_DATA
    return Verdict.NOT_ENOUGH_DATA if verdict is Verdict.FAIL and not measured else verdict


def _reading(*, real: bool, measured: bool) -> str:
    said = (
        "PAD and recognition together"
        if measured
        else "APCER shown: an accepted attack must still match, so IAPAR is at most that; "
        "a PASS may rest on it, a FAIL may not"
    )
    return (
        said
        if real
        else f"{said}. Simulated attacks: a requirement on real ones cannot PASS with them"
    )


def _nist_rest(seen: Observed) -> Iterator[Finding]:
    judged = Standing.NOT_JUDGED
    follows = "method follows; nobody has certified it"
    yield Finding(NIST, "3.2.3", "tested after ISO/IEC 19795-1", judged, why=follows)
    yield Finding(NIST, "3.2.3", "PAD tested after ISO/IEC 30107-3", judged, why=follows)
    standing = judged if seen.recognition else Standing.REPORTED
    yield Finding(NIST, "3.2.3", "face recognition has PAD", standing,
                  why="a server enforces PAD by default; this is one of its two models")  # fmt: skip
    for text, clause in OPERATION:
        yield Finding(NIST, clause, text, judged, why="operation: not judged by an evaluation")


def _simulated_attacks(seen: Observed) -> bool:
    """Whether any attack of the lineage was simulated: then the figures do not speak of real ones."""
    attacks = seen.lineage.filter(seen.lineage["species"].is_valid())
    return not len(attacks) or any(attacks["simulated"].to_pylist())


def _shown(errors: Flags, interval: Interval | None) -> str:
    if not len(errors) or interval is None:
        return "no trial"
    return f"{_spread(float(errors.mean()), interval)}, {int(errors.sum()):,} of {len(errors):,}"


def _spread(value: float, interval: Interval) -> str:
    return f"{100 * value:.3g} % ({100 * interval.low:.3g}–{100 * interval.high:.3g} %)"


def _of_figure(figure: Figure) -> str:
    name = figure.slice.removeprefix("species=")
    if figure.value is None or figure.low is None or figure.high is None:
        return f"{name}: no trial"
    return (
        f"{name} {100 * figure.value:.3g} % ({100 * figure.low:.3g}–{100 * figure.high:.3g} %), "
        f"n {figure.n:,}"
    )


def _needed(limit: float, wrong: int) -> str:
    text = (
        f"{trials_needed(limit):,} independent trials without error (rule of 3), "
        f"{trials_needed_for(limit, 0):,} by Clopper-Pearson"
    )
    if wrong and wrong < 50:
        text += f"; with the {wrong} errors seen {trials_needed_for(limit, wrong):,}"
    return text
