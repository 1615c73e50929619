"""Models side by side, as the section of a report."""

from collections.abc import Iterator, Sequence

from components.evaluate.contest import Standing
from components.evaluate.wording import interval, name_of, number
from vultus.contracts.evaluation import Figure
from vultus.contracts.words import Task, Verdict
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.charts import scatter_chart

_NONE = "–"
_WORSE = 0.01
"""An int8 form that loses more (EER, AUC) is called worse; a guess."""
_PLOTTED = {Task.RECOGNITION: "eer", Task.LIVENESS: "apcer"}
_TITLES = {
    Task.RECOGNITION: "Recognition models side by side",
    Task.LIVENESS: "PAD models side by side",
}


def contest_blocks(lines: Sequence[Standing], processor: str) -> list[Block]:
    """What each gets right, what it costs, whose it is, and a picture of the first two."""
    trials = max(figure.n for line in lines for figure in line.figures)
    whole = len({line.trials_sha256 for line in lines}) == 1
    return [
        Heading(_TITLES[lines[0].task]),
        Text(
            f"{len(lines)} lines, the same trials for all ({trials:,})."
            if whole
            else "The lines were not measured on the same trials: do not compare them."
        ),
        _right(lines),
        _cost(lines, processor),
        *_picture(lines),
        *_int8(lines),
        Table(
            ("model", "architecture", "licence of the weights", "trained on"),
            tuple((one.name, one.architecture, one.licence, one.training_data) for one in lines),
        ),
    ]


def _right(lines: Sequence[Standing]) -> Table:
    heads = {figure.name: name_of(figure) for line in lines for figure in line.figures}
    rows = [
        (one.name, *(_said(_of(one, name)) for name in heads))
        for one in lines
    ]  # fmt: skip
    about = (
        "Accuracy is of 1:1 decisions at the threshold that was best on the validation split, mated "
        "and non-mated counting alike; the rates at an FMR are at the threshold set for it there."
        if lines[0].task is Task.RECOGNITION
        else "APCER of the worst species and BPCER at the model's own threshold; a member is judged "
        "on every picture, whatever its room. Simulated attacks say nothing of photographed ones."
    )
    return Table(
        ("model", *heads.values()),
        tuple(rows),
        tuple(range(1, len(heads) + 1)),
        f"Test split; 95 % intervals in brackets. {about}",
    )


def _cost(lines: Sequence[Standing], processor: str) -> Table:
    rows = [
        (
            one.name,
            f"{one.parameters:,}",
            f"{one.mflops:,.0f}",
            f"{one.cpu_ms:.2f}",
            _NONE if one.cpu_ms_int8 is None else f"{one.cpu_ms_int8:.2f}",
            f"{one.megabytes:.1f}",
            _NONE if one.megabytes_int8 is None else f"{one.megabytes_int8:.1f}",
        )
        for one in lines
    ]
    return Table(
        ("model", "parameters", "MFLOPs", "ms float32", "ms int8", "MB", "MB int8"),
        tuple(rows),
        (1, 2, 3, 4, 5, 6),
        "A picture, one thread, processor time, medians of rounds in which the networks take turns, "
        f"on {processor}. A multiplication and an addition are two operations. Of a panel one member "
        "speaks for a picture: operations and milliseconds are the costliest's.",
    )


def _int8(lines: Sequence[Standing]) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = []
    for one in lines:
        small = one.figure_int8
        if small is not None:
            was = _of(one, small.name)
            verdict = Verdict.FAIL if is_worse(one) else Verdict.PASS
            rows.append((one.name, f"{name_of(small)} {_said(small)}", _said(was), verdict))
        elif one.int8_said:
            rows.append((one.name, one.int8_said, _NONE, ""))
    if rows:
        yield Table(
            ("model", "int8 form", "float32", "as good"),
            tuple(rows),
            caption="Static int8, calibrated on pictures of the training split, on the same trials. "
            f"FAIL: more than {100 * _WORSE:g} points worse.",
        )


def is_worse(one: Standing) -> bool:
    """Whether the int8 form loses more than what is let pass."""
    small = one.figure_int8
    was = None if small is None else _of(one, small.name)
    if small is None or was is None or small.value is None or was.value is None:
        return False
    lost = small.value - was.value if small.name == "eer" else was.value - small.value
    return lost > _WORSE


def _picture(lines: Sequence[Standing]) -> Iterator[Block]:
    name = _PLOTTED[lines[0].task]
    points = [
        (one.name, one.cpu_ms, 100 * figure.value)
        for one in lines
        for figure in [_of(one, name)]
        if figure is not None and figure.value is not None
    ]
    if points:
        head = name_of(next(f for one in lines for f in one.figures if f.name == name))
        chart = scatter_chart(points, "ms a picture, one thread", f"{head}, %")
        alt = f"{head} against milliseconds, a point a model"
        yield Picture(chart, "svg", alt, "Down and left is better.")


def _of(one: Standing, name: str) -> Figure | None:
    return next((figure for figure in one.figures if figure.name == name), None)


def _said(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return _NONE
    span = interval(figure).removesuffix(" %").replace(" – ", "–")
    return f"{number(figure.value, figure.name)} ({span})"
