"""`vultus data ingest | list | report | diff`: data versions, made and looked at."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.intake import Intake
    from vultus.settings import Settings

_JSON = typer.Option("--json", help="machine-readable")
_OUT = typer.Option("--out", help="folder for report.html, report.pdf, figures.json")
_SET = typer.Option("--set", help="seed=… or step.name=value; may be repeated")
_SPEAK_EVERY_S = 10.0
data = typer.Typer(
    no_args_is_help=True, help="Make data versions, look at them, compare them.",
    rich_markup_mode=None,
)  # fmt: skip


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(data, name="data")


@data.command()
def ingest(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="folder, list.csv, s3://…, kaggle:…, synthetic:…")],
    change: Annotated[list[str] | None, _SET] = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder of the version")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Take a source in, crop and validate it; exit code 1 where the suite refuses the data."""
    from pipelines.intake import take_in

    settings: Settings = ctx.obj
    with _saying(as_json) as said:
        taken = take_in(settings, source, change or [], out=out, said=said)
    facts = _facts(taken)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    else:
        _print(facts, facts["crops_digest"][:12] if out is None else _near(taken.folder / "crops"))
    if taken.refused is not None:
        typer.secho(taken.refused, fg=typer.colors.RED, err=True)
        raise typer.Exit(1)


@data.command("list")
def list_command(ctx: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """List the data versions in the state folder, newest first."""
    from pipelines.versions import listed

    settings: Settings = ctx.obj
    rows = [
        {"digest": v.digest, "kind": v.kind, "made": v.made.isoformat(timespec="seconds")}
        | {"path": str(v.path)}
        for v in listed(settings.paths)
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif not rows:
        typer.echo("No data version yet: `vultus data ingest SOURCE` makes one.")
    for row in rows if not as_json else ():
        typer.echo(f"{row['digest'][:12]}  {row['kind']:<9}  {row['made'][:16]}  {row['path']}")


@data.command()
def report(
    ctx: typer.Context,
    version: Annotated[
        str | None, typer.Argument(help="folder, or first digits of a digest; default: the newest")
    ] = None,
    out: Annotated[Path | None, _OUT] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Write the dataset report of a version; with --json print its figures."""
    from pipelines.reporting import report_writer, with_recipes
    from pipelines.versions import open_version, raw_of
    from vultus.dataset.survey import figures

    settings: Settings = ctx.obj
    opened = open_version(settings.paths, version)
    writer, raw = report_writer(settings), raw_of(settings.paths, opened)
    with _saying(as_json) as said:
        if as_json and out is None:
            typer.echo(json.dumps(figures(writer.survey(opened, raw, said)), indent=2))
            return
        place = out or settings.paths.reports / f"data-{opened.digest[:12]}"
        place.mkdir(parents=True, exist_ok=True)
        found = with_recipes(writer).write(opened, place, raw, said)
    if as_json:
        typer.echo(json.dumps(figures(found), indent=2))
    else:
        typer.echo(f"version {opened.digest[:12]}: {found.census.rows:,} pictures")
        typer.echo(f"  {_near(place / 'report.html')}")
        typer.echo(f"  {_near(place / 'report.pdf')}")


@data.command()
def diff(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(help="folder, or first digits of a digest")],
    after: Annotated[str, typer.Argument(help="the same")],
    out: Annotated[Path | None, _OUT] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Compare two versions: what came, what went, which distributions moved."""
    from components.validate.difference import write_difference
    from pipelines.reporting import report_writer
    from pipelines.versions import open_version, raw_of
    from vultus.dataset.difference import difference_figures

    settings: Settings = ctx.obj
    sides = open_version(settings.paths, before), open_version(settings.paths, after)
    place = out
    if place is None and not as_json:
        digests = "-".join(side.digest[:12] for side in sides)
        place = settings.paths.reports / f"data-{digests}"
    with _saying(as_json) as said:
        raws = raw_of(settings.paths, sides[0]), raw_of(settings.paths, sides[1])
        found = write_difference(*sides, place, report_writer(settings), raws, said)
    if as_json:
        typer.echo(json.dumps(difference_figures(found), indent=2))
        return
    for name, flow in (("pictures", found.pictures), ("subjects", found.subjects)):
        typer.echo(f"{name:<9} +{flow.came:,}  -{flow.went:,}  ={flow.stayed:,}")
    if found.changed_split:
        typer.echo(f"subjects that changed split: {found.changed_split:,}")
    for one in found.moved:
        typer.echo(f"moved     {one.name}: {one.said}  (PSI {one.psi:.2f}, p {one.p:.2g})")
    if not found.moved:
        typer.echo("moved     nothing that chance would not explain")
    typer.echo(f"  {_near((place or Path()) / 'report.html')}")


def _facts(taken: "Intake") -> dict[str, Any]:
    """What one screen says."""
    from vultus.dataset.survey import quarantine_of

    subjects: set[str] = set()
    presentations: Counter[str] = Counter()
    for table in taken.crops.stream(["subject", "presentation", "simulated"]):
        subjects.update(table["subject"].unique().to_pylist())
        pairs = zip(table["presentation"].to_pylist(), table["simulated"].to_pylist(), strict=True)
        presentations.update(f"{kind}{', simulated' if made else ''}" for kind, made in pairs)
    return {
        "read": taken.read,
        "known": taken.known,
        "cut": taken.cut,
        "cut_before": taken.cut_before,
        "faces": dict(presentations),
        "subjects": len(subjects),
        "quarantine": quarantine_of(taken.crops, taken.raw),
        "passed": taken.refused is None,
        "raw_digest": taken.raw.digest,
        "crops_digest": taken.crops.digest,
        "folder": str(taken.folder),
        "report": str(taken.validation / "report.html"),
        "data_docs": str(taken.validation / "data_docs" / "index.html"),
        "seconds": round(taken.seconds, 1),
    }


def _print(facts: dict[str, Any], name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    faces, refused = facts["faces"], facts["quarantine"]
    table = Table("", "", title="Data version", title_justify="left", show_header=False)
    table.add_row("offered", f"{facts['read'] + facts['known']:,}")
    table.add_row("  read now", f"{facts['read']:,}")
    table.add_row("  known from before", f"{facts['known']:,}")
    table.add_row("to crop, simulated ones too", f"{facts['cut'] + facts['cut_before']:,}")
    table.add_row("  cropped now", f"{facts['cut']:,}")
    table.add_row("  cropped before", f"{facts['cut_before']:,}")
    table.add_row("faces", f"{sum(faces.values()):,}")
    for kind, count in faces.items():
        table.add_row(f"  {kind.replace('_', ' ')}", f"{count:,}")
    table.add_row("subjects", f"{facts['subjects']:,}")
    table.add_row("quarantined", f"{sum(refused.values()):,}")
    for reason, count in refused.items():
        table.add_row(f"  {reason}", f"{count:,}")
    table.add_row("suite", "passed" if facts["passed"] else "refused")
    table.add_row("digest", facts["crops_digest"][:12])
    Console().print(table)
    typer.echo(f"To read\n  {_near(Path(facts['report']))}\n  {_near(Path(facts['data_docs']))}")
    typer.echo(f"Next\n  vultus data diff OLDER {name}")
    typer.echo(f"{facts['seconds']:.0f} s in all")


def _near(path: Path) -> str:
    """Relative to where one stands, if it lies below."""
    absolute = path.absolute()
    return os.path.relpath(absolute) if absolute.is_relative_to(Path.cwd()) else str(absolute)


@contextmanager
def _saying(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Progress on stderr: one line that changes on a terminal, a line every 10 s elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal and not quiet:
        with console.status("starting") as status:
            yield status.update
        return
    last = time.monotonic()

    def said(line: str) -> None:
        nonlocal last
        if time.monotonic() - last > _SPEAK_EVERY_S:
            last = time.monotonic()
            typer.echo(f"  {line}", err=True)

    yield said
