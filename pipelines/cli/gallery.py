"""`vultus enrol`, `identify`, `forget`: the gallery of the home, with no server running."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vultus.contracts.words import MatchDecision

if TYPE_CHECKING:
    from serving.assembly import Assembly
    from vultus.contracts.answers import IdentifyAnswer
    from vultus.gallery import Gallery
    from vultus.settings import Settings

_JSON = typer.Option("--json", help="print the whole answer, as the server gives it")
_FPIR = typer.Option(min=1e-9, max=0.5, help="instead of --fmr: FPIR of the whole search")
_FMR = typer.Option(min=1e-9, max=0.5, help="FMR of one comparison; default: VULTUS_SERVING__FMR")
_SUBJECT = typer.Argument(metavar="ID", help="your own id of the person")
_PICTURE = typer.Argument(metavar="A", help="picture", exists=True, dir_okay=False, readable=True)


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command(epilog="Exit code 0: enrolled, unchanged; 1: refused, or failed.")(enrol)
    app.command(epilog="Exit code 0: match; 1: non_match, not_decided, or failed.")(identify)
    app.command(epilog="Exit code 0: forgotten; 1: nobody of this id, or failed.")(forget)


def enrol(
    ctx: typer.Context,
    subject: Annotated[str, _SUBJECT],
    image: Annotated[Path, _PICTURE],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Add a reference of a person; the same picture again changes nothing."""
    import hashlib

    from serving import enrol as answers
    from vultus.faces.picture import decode_image

    settings: Settings = ctx.obj
    data = image.read_bytes()
    with _gallery(settings) as gallery:
        answer = answers.enrol(
            _assembly(settings).current.analyser,
            gallery,
            subject,
            decode_image(data),
            hashlib.sha256(data).hexdigest(),
            uuid.uuid4().hex,
        )
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        why = f" ({answer.reason})" if answer.reason else ""
        typer.echo(f"{answer.decision}{why}: {subject} has {_count(answer.references)}")
        if answer.pad.hint:
            typer.echo(f"next: {answer.pad.hint}")
    raise typer.Exit(1 if answer.decision == answers.REFUSED else 0)


def identify(
    ctx: typer.Context,
    image: Annotated[Path, _PICTURE],
    fmr: Annotated[float | None, _FMR] = None,
    fpir: Annotated[float | None, _FPIR] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="candidates at most")] = 5,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Who of the gallery is in the picture?"""
    from serving import identify as answers
    from vultus.errors import BadArtifact
    from vultus.faces.picture import decode_image
    from vultus.metrics import fmr_from_fpir

    settings: Settings = ctx.obj
    assembly = _assembly(settings)
    served = assembly.current
    if served.thresholds is None:
        raise BadArtifact("no recognition model was promoted; run `vultus run recognition` first")
    with _gallery(settings) as gallery:
        if fpir is not None:
            fmr = fmr_from_fpir(fpir, gallery.count())
        answer = answers.identify(
            served.analyser,
            served.thresholds,
            gallery,
            decode_image(image.read_bytes()),
            fmr=settings.serving.fmr if fmr is None else fmr,
            request_id=uuid.uuid4().hex,
            limit=limit,
            elder_of=assembly.elder,
        )
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        _say(answer)
    raise typer.Exit(0 if answer.decision is MatchDecision.MATCH else 1)


def forget(
    ctx: typer.Context,
    subject: Annotated[str, _SUBJECT],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Delete a person: name, templates, and the key that they were encrypted with."""
    from vultus.contracts.answers import ForgetAnswer

    settings: Settings = ctx.obj
    with _gallery(settings) as gallery:
        removed = gallery.remove(subject)
    answer = ForgetAnswer(
        request_id=uuid.uuid4().hex,
        subject=subject,
        decision="forgotten" if removed else "unknown",
        references=removed,
    )
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    elif removed:
        typer.echo(f"forgotten: {subject}, {_count(removed)} deleted")
    else:
        typer.echo(f"nobody is enrolled as {subject}")
    raise typer.Exit(0 if removed else 1)


@contextmanager
def _gallery(settings: "Settings") -> "Iterator[Gallery]":
    from serving.secrets import gallery_key
    from vultus.gallery import Gallery

    gallery = Gallery(settings.paths.gallery, gallery_key(settings))
    try:
        yield gallery
    finally:
        gallery.close()


def _assembly(settings: "Settings") -> "Assembly":
    from serving.assembly import Assembly, sources_from, trusted_key

    return Assembly(*sources_from(settings), trusted_key(settings))


def _say(answer: "IdentifyAnswer") -> None:
    why = f" ({answer.reason})" if answer.reason else ""
    best = "" if answer.score is None else f", best score {answer.score:.4f}"
    typer.echo(
        f"{answer.decision}{why}: threshold {answer.threshold:.4f} at FMR {answer.fmr:g}{best}; "
        f"{answer.gallery_size} enrolled"
    )
    for candidate in answer.candidates:
        typer.echo(f"  {candidate.score:.4f}  {candidate.subject}")
    if answer.pad.hint:
        typer.echo(f"next: {answer.pad.hint}")


def _count(references: int) -> str:
    return f"{references} reference{'' if references == 1 else 's'}"
