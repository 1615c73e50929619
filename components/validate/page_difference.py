"""Two data versions side by side: what came, what went, which distributions moved."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from components.validate.album import Album
from components.validate.page_pictures import name_of
from components.validate.tiles import faces_of, spaced
from vultus.contracts.words import Verdict as Outcome
from vultus.dataset.difference import Difference
from vultus.dataset.distribution import MOVED, SLIGHT, Shift
from vultus.dataset.survey import Survey
from vultus.reports import Block, Heading, Picture, Table, Text, Verdict
from vultus.reports.charts import histogram_chart

_SHOWN = 24
_CHARTS = 8
_TOP = (0.005, 0.995)


def difference_title(found: Difference) -> str:
    """The title names both versions."""
    return f"Data versions {found.before.digest[:12]} → {found.after.digest[:12]}"


def difference_blocks(found: Difference, albums: tuple[Album, Album] | None) -> list[Block]:
    """The whole document. albums: pictures before and after; None leaves them out."""
    blocks: list[Block] = [_headline(found)]
    if not (found.before.rendered and found.after.rendered):
        blocks.append(
            Text(
                "This document shows faces of real people. It is personal data: keep it beside the "
                "pictures, under the same rules."
            )
        )
    blocks += _flow(found)
    if albums is not None:
        blocks += _faces(albums[1], found.came, "came")
        blocks += _faces(albums[0], found.went, "went")
    blocks += _moved(found)
    blocks += _limits(found)
    blocks += _all(found)
    return blocks


def _headline(found: Difference) -> Verdict:
    pictures, subjects, moved = found.pictures, found.subjects, found.moved
    said = (
        f"{pictures.came:,} pictures came and {pictures.went:,} went; {subjects.came:,} subjects came "
        f"and {subjects.went:,} went; {len(moved)} of {len(found.shifts)} distributions moved"
    )
    if moved:
        said += f", most of all {name_of(moved[0].name)} ({moved[0].said})"
    if found.changed_split:
        return Verdict(
            Outcome.FAIL,
            f"{found.changed_split:,} subjects stand in another split now: what was trained on the "
            f"old version has seen the new test. {said}.",
            "SPLITS CHANGED",
        )
    if not (pictures.came or pictures.went):
        return Verdict(Outcome.PASS, f"Both hold the same pictures; {said}.", "SAME PICTURES")
    label = "MOVED" if moved else "GREW, DID NOT MOVE"
    return Verdict(Outcome.NOT_ENOUGH_DATA if moved else Outcome.PASS, f"{said}.", label)


def _flow(found: Difference) -> Iterator[Block]:
    old, new = found.before.census, found.after.census
    yield Table(
        ("", "before", "after", "came", "went", "in both"),
        (
            _line("pictures", old.rows, new.rows, vars(found.pictures)),
            _line("subjects", old.subjects, new.subjects, vars(found.subjects)),
        ),
        numeric=(1, 2, 3, 4, 5),
        caption="Pictures are told by their content, subjects by their pseudonym: under another "
        "pseudonym key every subject looks new.",
    )
    reasons = sorted({*found.before.quarantine, *found.after.quarantine})
    if reasons:
        yield Table(
            ("quarantined", "before", "after"),
            tuple(
                (
                    reason,
                    f"{found.before.quarantine.get(reason, 0):,}",
                    f"{found.after.quarantine.get(reason, 0):,}",
                )
                for reason in reasons
            ),
            numeric=(1, 2),
        )


def _line(name: str, before: int, after: int, flow: dict[str, int]) -> tuple[str, ...]:
    return (name, *(f"{n:,}" for n in (before, after, flow["came"], flow["went"], flow["stayed"])))


def _faces(album: Album, rows: NDArray[np.int64], what: str) -> Iterator[Block]:
    if rows.size:
        chosen = spaced(rows, _SHOWN)
        yield Picture(
            faces_of(album, [[row] for row in chosen]),
            "jpeg",
            f"Faces that {what}",
            f"What {what}: {len(chosen)} of {rows.size:,} pictures.",
        )


def _moved(found: Difference) -> Iterator[Block]:
    yield Heading("Which distributions moved")
    if not found.moved:
        yield Text("None that chance would not explain.")
        return
    yield _shift_table(found.moved)
    both = (found.before, found.after)
    for one in [x for x in found.moved if x.name in found.before.census.values][:_CHARTS]:
        before, after = (_own(side, one.name) for side in both)
        low, high = np.quantile(np.concatenate([before, after]), _TOP)
        groups = {"before": np.clip(before, low, high), "after": np.clip(after, low, high)}
        yield Picture(
            histogram_chart(groups, name_of(one.name), bins=24),
            "svg",
            f"{name_of(one.name)} before and after",
            f"{name_of(one.name)}: median {one.said}, PSI {one.psi:.2f}.",
        )


def _own(side: Survey, name: str) -> NDArray[np.float32]:
    values = side.census.values[name][side.census.own]
    return values[np.isfinite(values)]


def _limits(found: Difference) -> Iterator[Block]:
    if found.limits_new or found.limits_gone:
        yield Heading("What it can and cannot support")
        rows = [("new limit", one) for one in found.limits_new]
        rows += [("limit gone", one) for one in found.limits_gone]
        yield Table(("", "statement"), tuple(rows))


def _all(found: Difference) -> Iterator[Block]:
    yield Heading("All comparisons")
    yield Text(
        f"PSI: population stability index, from {SLIGHT} on slightly, from {MOVED} on clearly moved, "
        "where chance would not explain it (p ≤ 0.01). Distance: Kolmogorov-Smirnov, of words total "
        "variation. p counts subjects, not pictures, because pictures of one person go together; with "
        "few subjects only great changes can be told from chance.",
        quiet=True,
    )
    yield _shift_table(found.shifts)


def _shift_table(shifts: Sequence[Shift]) -> Table:
    return Table(
        ("quantity", "before → after", "PSI", "distance", "p", "n before / after", ""),
        tuple(
            (
                name_of(one.name),
                one.said,
                f"{one.psi:.3f}",
                f"{one.distance:.3f}",
                "< 0.0001" if one.p < 1e-4 else f"{one.p:.2g}",
                f"{one.before:,} / {one.after:,}",
                one.verdict,
            )
            for one in shifts
        ),
        numeric=(2, 3, 4, 5),
    )
