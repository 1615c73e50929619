"""`vultus models`, `promote`, `ui`: what is registered, and what is in use."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vultus.contracts.seams import VersionRef
    from vultus.settings import Settings
    from vultus.signing import PublicKey

_JSON = typer.Option("--json", help="machine-readable")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(models)
    app.command()(promote)
    app.command()(ui)


def models(ctx: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """List registered versions: aliases, what the gate said and why, the data they come from."""
    from serving.assembly import trusted_key
    from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
    from vultus.registry import registry_from

    settings: Settings = ctx.obj
    key = trusted_key(settings)
    registry = registry_from(settings.tracking, settings.paths)
    found = [v for name in (RECOGNITION_MODEL, PAD_MODEL) for v in registry.versions(name)]
    rows: list[dict[str, Any]] = [
        {
            "model": version.name,
            "version": version.version,
            "aliases": list(version.aliases),
            "gate": version.tags.get("gate", "not judged"),
            "reasons": version.tags.get("gate_reasons", ""),
            "gate_fault": _gate_fault(version, key),
            "data_sha256": version.tags.get("data_sha256", ""),
            "git_commit": version.tags.get("git_commit", ""),
            "run_id": version.run_id,
        }
        for version in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    _print_table(rows)


def _print_table(rows: list[dict[str, Any]]) -> None:
    """In 80 columns, the narrowest terminal: only the reason may be broken into lines."""
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(
        Column("version", no_wrap=True),
        Column("alias", no_wrap=True),
        Column("gate", no_wrap=True),
        "why",
        Column("data", no_wrap=True),
        Column("commit", no_wrap=True),
    )
    for row in rows:
        table.add_row(
            f"{row['model']}/{row['version']}",
            ", ".join(row["aliases"]),
            str(row["gate"]),
            str(row["gate_fault"] or row["reasons"]),
            str(row["data_sha256"])[:8],
            str(row["git_commit"])[:8],
        )
    Console().print(table)


def _gate_fault(version: "VersionRef", key: "PublicKey") -> str | None:
    """What is wrong with the tags that say how the gate decided; None where they are as signed."""
    from vultus.errors import BadSignature
    from vultus.signing import verify_decision

    tags = version.tags
    if "gate" not in tags:
        return None
    try:
        signed = verify_decision(tags.get("gate_decision", ""), tags.get("gate_signature", ""), key)
    except BadSignature as error:
        return f"do not believe the tag: {error}"
    said = (version.name, version.version, tags.get("digest"), tags["gate"])
    if said != (signed.name, signed.version, signed.digest, signed.decision):
        return (
            f"do not believe the tag: what was signed is {signed.name}/{signed.version} "
            f"{signed.decision}"
        )
    return None


def promote(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="vultus-recognition or vultus-pad")],
    version: Annotated[int | None, typer.Option(help="default: the newest")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Send a registered version through the gate; exit code 1 and the reasons where it is refused."""
    from components.door import Door
    from components.promote import PromoteParams, promote_model
    from vultus.errors import BadParameter
    from vultus.registry import registry_from, tracker_from
    from vultus.storage import store_from

    settings: Settings = ctx.obj
    home = settings.paths
    door = Door(settings, home, store_from(settings.storage, home), processes=1)
    registry = registry_from(settings.tracking, home)
    known = list(registry.versions(name))
    chosen = next((v for v in known if version in (None, v.version)), None)
    if chosen is None:
        raise BadParameter(f"{name} has no version {version or ''}; see `vultus models`")
    report = promote_model(
        registry.fetch(chosen, Path(home.models)),
        PromoteParams(),
        registry=registry,
        tracker=tracker_from(settings.tracking, home),
        store=door.store,
        home=home,
        signing_key=door.signing_key(),
    )
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        typer.echo(f"{report.name}/{report.version}: {report.decision}")
        for check in report.checks:
            typer.echo(f"  {check.rule:<11} {check.outcome}")
            for reason in check.reasons:
                typer.echo(f"      {reason}")
        typer.echo(f"  {report.note}")
    if report.decision == "refused":
        raise typer.Exit(1)


def ui(ctx: typer.Context, port: Annotated[int, typer.Option(help="on 127.0.0.1")] = 5000) -> None:
    """Start MLflow's web interface over the local runs, models and aliases; Ctrl-C ends it."""
    from vultus.registry import MlflowServer

    settings: Settings = ctx.obj
    server = MlflowServer(settings.paths, port=port)
    with server:
        typer.echo(f"MLflow: {server.uri}  (Ctrl-C ends it)")
        try:
            server.join()
        except KeyboardInterrupt:
            typer.echo("stopped")
