"""`vultus score`: the promoted models on anybody's own list of pictures."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.champions import champions
from vultus.contracts.words import Task

if TYPE_CHECKING:
    from vultus.inference.chosen import Looked
    from vultus.inference.lists import Scored
    from vultus.inference.tables import Item
    from vultus.settings import Settings

_MOST_SHOWN = 10
_EXITS = (
    "Exit code 0: OUT is written; 1: failed with the reason, or not one row could be scored; "
    "2: wrong usage."
)
_PAIRS = typer.Argument(metavar="PAIRS.csv", help="columns a, b", exists=True, dir_okay=False)
_PAD = typer.Option(
    metavar="MANIFEST.csv", help="column file: PAD scores instead", exists=True, dir_okay=False
)
_IMAGES = typer.Option(help="folder the names are relative to", exists=True, file_okay=False)
_THREADS = typer.Option(min=0, help="0 = one a core")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command(epilog=_EXITS)(score)


def score(
    ctx: typer.Context,
    images: Annotated[Path, _IMAGES],
    out: Annotated[Path, typer.Option(help="CSV to write: a, b, score or file, pad_score")],
    pairs: Annotated[Path | None, _PAIRS] = None,
    pad: Annotated[Path | None, _PAD] = None,
    threads: Annotated[int, _THREADS] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable summary")] = False,
) -> None:
    """Score pairs (a, b -> score) or, with --pad, presentations (file -> pad_score).

    One row out for every row in, in their order; the cell stays empty where no face was found or the
    file is bad. Where the list gives a face's box (box_x1, box_y1, box_x2, box_y2; for pairs a_box_x1
    … and b_box_x1 …), that face is taken; else the largest, of several large ones the middle one.
    """
    from vultus.inference import lists, tables

    if (pairs is None) is (pad is None):
        raise typer.BadParameter("give PAIRS.csv, or --pad MANIFEST.csv, and not both")
    settings: Settings = ctx.obj
    workers = threads or settings.threads or _cores()
    with tables.Sheet(out) as sheet, _Screen() as screen:
        if pairs is not None:
            rows = tables.read_pairs(pairs)
            analyser, _ = champions(settings, Task.RECOGNITION, alone=True)
            screen.expect(len({item for row in rows for item in row}))
            scored = lists.score_pairs(analyser, rows, images, threads=workers, done=screen.done)
            named = ((a.file, b.file, s) for (a, b), s in zip(rows, scored.scores, strict=True))
            sheet.write(tables.PAIR_COLUMNS, named)
        else:
            assert pad is not None  # one of the two was given
            files = tables.read_files(pad)
            analyser, _ = champions(settings, Task.LIVENESS, alone=True)
            screen.expect(len(set(files)))
            scored = lists.score_presentations(
                analyser, files, images, threads=workers, done=screen.done
            )
            judged = ((f.file, s) for f, s in zip(files, scored.scores, strict=True))
            sheet.write(tables.PAD_COLUMNS, judged)
        seconds = screen.seconds
    _close(scored, out, seconds, as_json=as_json)


class _Screen:
    """Progress with time left, and the first reasons why a picture came to nothing."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self._progress: Progress = Progress(
            "pictures", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(stderr=True),
        )  # fmt: skip
        self._task = self._progress.add_task("pictures", total=None)
        self._said = 0
        self._start = time.monotonic()

    def __enter__(self) -> "_Screen":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def expect(self, pictures: int) -> None:
        """Begin to count."""
        self._progress.update(self._task, total=pictures)
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since counting began."""
        return time.monotonic() - self._start

    def done(self, item: "Item", looked: "Looked") -> None:
        """One more picture."""
        self._progress.advance(self._task)
        nothing = looked.embedding is None and looked.pad_score is None
        if nothing and self._said < _MOST_SHOWN:
            self._said += 1
            more = " (further ones are only counted)" if self._said == _MOST_SHOWN else ""
            self._progress.console.print(f"{item.file}: {looked.why}{more}", markup=False)


def _close(scored: "Scored", out: Path, seconds: float, *, as_json: bool) -> None:
    rows, empty = len(scored.scores), sum(scored.reasons.values())
    rate = scored.pictures / max(seconds, 1e-9)
    if as_json:
        summary: dict[str, Any] = {
            "out": str(out),
            "rows": rows,
            "empty": empty,
            "reasons": dict(scored.reasons.most_common()),
            "pictures": scored.pictures,
            "seconds": round(seconds, 3),
            "pictures_per_s": round(rate, 2),
        }
        typer.echo(json.dumps(summary, indent=2))
    else:
        typer.echo(
            f"{out}: {rows} rows, {rows - empty} scored, {empty} empty; "
            f"{scored.pictures} pictures in {seconds:.1f} s ({rate:.1f}/s)"
        )
        for reason, count in scored.reasons.most_common():
            typer.echo(f"  {count} without a score: {reason}")
    if rows and empty == rows:
        raise typer.Exit(1)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
