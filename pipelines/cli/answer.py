"""`vultus verify`, `liveness`: an answer from the promoted models, with no server running."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.champions import champions
from vultus.contracts.words import MatchDecision, PadDecision, Reason, Task, Verdict

if TYPE_CHECKING:
    from vultus.contracts.answers import LivenessAnswer, PadAnswer, VerifyAnswer
    from vultus.inference.thresholds import Thresholds
    from vultus.settings import Settings

_PICTURE = {"exists": True, "dir_okay": False, "readable": True}
_JSON = typer.Option("--json", help="print the whole answer, as POST /api/v1 gives it")
_FMR = typer.Option(min=1e-9, max=0.5, help="FMR to ask for; default: VULTUS_SERVING__FMR")
_NO_PAD = typer.Option("--no-pad", help="leave PAD out; decide on the score alone")
_EXITS = "Exit code 0: {yes}; 1: {no}, or failed, with the reason; 2: wrong usage."
_HINTS = {
    Reason.NO_FACE: "show one whole face, upright, at least 40 pixels wide",
    Reason.SEVERAL_FACES: "let one person alone be in the picture, or cut the other faces away",
    Reason.LOW_QUALITY: "take the picture again: sharper, lit from the front, face to the camera",
    Reason.ATTACK: "if this is no attack, use the camera itself, not a photograph of a picture",
    Reason.PAD_UNAVAILABLE: "run `vultus run liveness`, or decide on the score with --no-pad",
}


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command(epilog=_EXITS.format(yes="match", no="non_match, not_decided"))(verify)
    app.command(epilog=_EXITS.format(yes="bona_fide", no="attack, not_decided"))(liveness)


def verify(
    ctx: typer.Context,
    reference: Annotated[Path, typer.Argument(metavar="A", help="reference picture", **_PICTURE)],
    probe: Annotated[Path, typer.Argument(metavar="B", help="probe picture", **_PICTURE)],
    fmr: Annotated[float | None, _FMR] = None,
    no_pad: Annotated[bool, _NO_PAD] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Are two pictures of the same person, and is B a bona fide presentation?"""
    from vultus.inference import answers
    from vultus.inference.library import read_picture

    settings: Settings = ctx.obj
    analyser, thresholds = champions(settings, Task.RECOGNITION, alone=no_pad)
    assert thresholds is not None  # champions() refuses to go on without a recogniser
    answer = answers.verify(
        analyser,
        thresholds,
        read_picture(reference),
        read_picture(probe),
        fmr=settings.serving.fmr if fmr is None else fmr,
        request_id=uuid.uuid4().hex,
        pad=not no_pad,
    )
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        _say_match(answer, thresholds, no_pad=no_pad)
    raise typer.Exit(0 if answer.decision is MatchDecision.MATCH else 1)


def liveness(
    ctx: typer.Context,
    image: Annotated[Path, typer.Argument(metavar="A", help="picture", **_PICTURE)],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Is a picture a bona fide presentation, or an attack?"""
    from vultus.inference import answers
    from vultus.inference.library import read_picture

    settings: Settings = ctx.obj
    analyser, _ = champions(settings, Task.LIVENESS, alone=True)
    answer = answers.liveness(analyser, read_picture(image), request_id=uuid.uuid4().hex)
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        _say_liveness(answer)
    raise typer.Exit(0 if answer.decision is PadDecision.BONA_FIDE else 1)


def _say_match(answer: "VerifyAnswer", thresholds: "Thresholds", *, no_pad: bool) -> None:
    colours = {MatchDecision.MATCH: typer.colors.GREEN, MatchDecision.NON_MATCH: typer.colors.RED}
    words = [answer.decision.value]
    if answer.reason is not None:
        words.append(f"({answer.reason})")
    words.append(_against(answer.score, answer.threshold))
    words.append(f"at FMR {answer.fmr:g}")
    typer.secho(" ".join(filter(None, words)), fg=colours.get(answer.decision, "yellow"))
    typer.echo("PAD: left out (--no-pad)" if no_pad else _pad_line(answer.pad))
    if not thresholds.supported(answer.fmr):
        typer.echo(
            f"note: the evaluation had too few non-mated pairs to show an FMR of {answer.fmr:g}; "
            "take the threshold for an estimate, or ask for a higher --fmr"
        )
    if answer.reason is not None:
        typer.echo(f"next: {_which(answer)}{_hint(answer.reason, answer.pad)}")


def _say_liveness(answer: "LivenessAnswer") -> None:
    colours = {PadDecision.BONA_FIDE: typer.colors.GREEN, PadDecision.ATTACK: typer.colors.RED}
    words = [answer.decision.value]
    if answer.reason is not None and answer.reason is not Reason.ATTACK:
        words.append(f"({answer.reason})")
    words.append(_against(answer.score, answer.threshold))
    typer.secho(" ".join(filter(None, words)), fg=colours.get(answer.decision, "yellow"))
    typer.echo(_pad_line(answer.pad))
    if answer.reason is not None:
        typer.echo(f"next: {_hint(answer.reason, answer.pad)}")


def _pad_line(pad: "PadAnswer") -> str:
    facts = [f"PAD: {pad.decision.value}"]
    if pad.score is not None:
        facts.append(_against(pad.score, pad.threshold))
    if pad.member is not None:
        facts.append(f"by {pad.member}, which learned from {pad.evidence} attack presentations")
    if pad.room is not None:
        facts.append(f"room {pad.room:.2f}")
    unproven = "" if pad.status is Verdict.PASS else ": not proven on enough data"
    if pad.status is Verdict.FAIL:
        unproven = ": its own evaluation missed a requirement"
    facts.append(f"model status {pad.status.value}{unproven}")
    return ", ".join(facts)


def _against(score: float | None, threshold: float | None) -> str:
    if score is None or threshold is None:
        return ""
    return f"score {score:.4f} {'>=' if score >= threshold else '<'} threshold {threshold:.4f}"


def _hint(reason: Reason, pad: "PadAnswer") -> str:
    return pad.hint or _HINTS.get(reason, f"see the reason: {reason}")


def _which(answer: "VerifyAnswer") -> str:
    """Which of the two pictures the hint is about, where the answer tells."""
    if answer.score is not None or (answer.reference is None) is (answer.probe is None):
        return ""
    return "A: " if answer.reference is None else "B: "
