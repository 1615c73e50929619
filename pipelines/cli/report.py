"""`vultus report`: where the newest documents lie."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.errors import BadArtifact

if TYPE_CHECKING:
    from vultus.contracts.artifact import Manifest
    from vultus.contracts.home import Home
    from vultus.settings import Settings

_STAMP = re.compile(r"-\d{4}(-\d+){6}$")
_KINDS = ("evaluation", "dataset", "data docs", "drift", "evidently", "other")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(report)


def report(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Argument(help=", ".join(_KINDS))] = None,
    every: Annotated[bool, typer.Option("--all", help="older ones too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """List the newest documents: evaluations, datasets, data docs, drift pages."""
    settings: Settings = ctx.obj
    if kind is not None and kind not in _KINDS:
        raise typer.BadParameter(f"'{kind}': choose one of {', '.join(_KINDS)}")
    found = sorted(_documents(settings), key=lambda one: str(one["made"]), reverse=True)
    chosen = [one for one in found if kind in (None, one["kind"])]
    if not every:
        newest = {(one["kind"], one["of"]): one for one in reversed(chosen)}.values()
        chosen = [one for one in chosen if one["champion"] or one in newest]
    if as_json:
        typer.echo(json.dumps(chosen, indent=2))
    elif not chosen:
        what = "document" if kind is None else f"{kind} document"
        typer.echo(
            f"No {what} yet: `vultus run` writes evaluations and data docs, "
            "`vultus monitor` drift pages."
        )
    else:
        for one in chosen:
            of = f"{one['of']}, champion {one['champion']}" if one["champion"] else one["of"]
            typer.echo(f"{one['made'][:16].replace('T', ' ')}  {one['kind']:<10}  {of}")
            typer.echo(f"    {one['path']}")


def _documents(settings: "Settings") -> Iterator[dict[str, Any]]:
    home = settings.paths
    champions = _champions(home)
    for file in home.runs.glob("*/evaluate/evaluation/report.html"):
        digest = _digest(file.parent)
        yield _one("evaluation", _pipeline_of(file, home.runs), file, champions.get(digest))
    for file in home.runs.glob("*/validate/*/report.html"):
        yield _one("dataset", _pipeline_of(file, home.runs), file)
    for file in home.data.glob("*/validation*/report.html"):
        yield _one("dataset", file.relative_to(home.data).parts[0], file)
    for file in home.runs.glob("*/validate/*/data_docs/index.html"):
        yield _one("data docs", _pipeline_of(file, home.runs), file)
    for file in home.reports.glob("*/*.html"):
        kind = {"drift.html": "drift", "evidently.html": "evidently"}.get(file.name, "other")
        watched = file.parent.name.endswith("-monitor")
        yield _one(kind if watched else "other", "traffic" if watched else file.parent.name, file)


def _champions(home: "Home") -> dict[str, str]:
    """Digest of the evaluation that a champion came with -> `vultus-pad/3`."""
    from vultus.signing import ChampionPointer

    found = {}
    for name in (RECOGNITION_MODEL, PAD_MODEL):
        pointer = ChampionPointer.read(home, name)
        if pointer is not None:
            facts = _manifest(pointer.path).facts
            found[str(facts.get("evaluation_digest"))] = f"{name}/{pointer.version}"
    return found


def _digest(artifact: Path) -> str:
    return _manifest(artifact).digest


def _manifest(artifact: Path) -> "Manifest":
    from pydantic import ValidationError

    from vultus.contracts.artifact import MANIFEST, Manifest

    file = artifact / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadArtifact(f"{file} cannot be read: {error}") from error


def _pipeline_of(file: Path, runs: Path) -> str:
    """`vultus-recognition-2026-11-24-23-15-22-848178` -> `vultus-recognition`."""
    return _STAMP.sub("", file.relative_to(runs).parts[0])


def _one(kind: str, of: str, file: Path, champion: str | None = None) -> dict[str, Any]:
    made = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return {
        "kind": kind,
        "of": of,
        "champion": champion,
        "made": made.isoformat(timespec="seconds"),
        "path": str(file),
    }
