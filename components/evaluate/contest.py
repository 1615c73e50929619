"""Several models on the same trials: what each gets right, and what it costs."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from components.evaluate.accuracy import accepted_of, accuracy
from components.evaluate.contenders import EMBEDDING, Contender
from components.evaluate.cost import milliseconds, with_int8
from components.evaluate.levels import exponent
from components.evaluate.liveness import judge_panel
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import RecognitionResult, judge_encoder
from vultus.contracts.evaluation import Figure
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Task
from vultus.dataset.leftout import LeftOut
from vultus.errors import BadParameter, TransformMismatch, WeightsUnavailable
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.panel import OnnxPadMember
from vultus.networks.load import OWN_MEMBER
from vultus.networks.provenance import Provenance
from vultus.networks.work import work_of

_MEMBER = "member="
_PANEL = ("pad_auc", "apcer", "bpcer")
_INT8 = ("eer", "pad_auc")
"""What is judged again for an int8 form."""


class Standing(BaseModel):
    """One line of the table: an embedder, a PAD panel, or a member of one."""

    model_config = ConfigDict(frozen=True)

    name: str
    task: Task
    figures: tuple[Figure, ...]
    trials_sha256: str = Field(description="the same for all, or they could not be compared")
    architecture: str
    parameters: int = Field(description="of a panel: all members together")
    mflops: float = Field(description="a picture; of a panel: the costliest, for one member speaks")
    cpu_ms: float = Field(description="a picture, one thread, median; of a panel: as above")
    megabytes: float
    cpu_ms_int8: float | None = Field(default=None, description="null without an int8 network")
    figure_int8: Figure | None = Field(default=None, description="EER, or AUC, of the int8 form")
    megabytes_int8: float | None = None
    int8_said: str = ""
    licence: str
    training_data: str


def compare(
    contenders: Sequence[Contender],
    crops: pa.Table,
    params: EvaluateParams,
    store: Store,
    place: Path,
    *,
    int8: bool = True,
    lost: list[str] | None = None,
) -> list[Standing]:
    """Judge all on the trials that `crops` and `params` give, then time them in turn.

    Args:
        place: where int8 forms are made, of networks that came without; int8: make and judge them.
        lost: takes what is wrong with a model that cannot be loaded; without it that is an error.
    Raises: BadParameter, for models of both tasks; NoTrials; StorageUnavailable; TransformMismatch,
        WeightsUnavailable.
    """
    if len({one.task for one in contenders}) != 1:
        raise BadParameter("only models of one task can be compared: all recognition, or all PAD")
    contenders = [one for one in contenders if _loads(one, lost)]
    if int8:
        contenders = [with_int8(one, crops, params, store, place) for one in contenders]
    contenders = [_without_broken_int8(one) for one in contenders]
    judged = [_judged(one, {}, crops, params, store) for one in contenders]
    small = [
        _judged(one, one.int8, crops, params, store)[0] if one.int8 else {} for one in contenders
    ]
    files = [file for one in contenders for file in (*one.networks.values(), *_small(one).values())]
    spent = dict(zip(files, milliseconds(files), strict=True))
    return [
        line
        for one, (found, trials), again in zip(contenders, judged, small, strict=True)
        for line in _lines(one, found, again, trials, spent)
    ]


def _loads(one: Contender, lost: list[str] | None) -> bool:
    """Whether its networks can be opened and fit their transform."""
    try:
        _opened(one, {})
    except (TransformMismatch, WeightsUnavailable) as error:
        if lost is None:
            raise
        lost.append(f"{one.name}: {error}")
        return False
    return True


def _without_broken_int8(one: Contender) -> Contender:
    """The contender without int8 forms, and the reason said, where one cannot be opened."""
    try:
        _opened(one, one.int8 or {})
    except (TransformMismatch, WeightsUnavailable) as error:
        said = "; ".join(filter(None, [one.int8_said, f"no int8: {error}"]))
        return replace(one, int8=None, int8_said=said)
    return one


def _lines(
    one: Contender,
    found: Mapping[str, Sequence[Figure]],
    again: Mapping[str, Sequence[Figure]],
    trials: str,
    spent: Mapping[Path, float],
) -> Iterator[Standing]:
    """The whole model, then, of a panel of several, each member."""
    work = {name: work_of(file) for name, file in one.networks.items()}
    several = len(one.networks) > 1
    parts = [tuple(one.networks), *((name,) for name in one.networks if several)]
    for names in parts:
        part = one.name if names is parts[0] else names[0]
        networks = [one.networks[name] for name in names]
        quick = [_small(one)[name] for name in names if name in _small(one)]
        whole = len(quick) == len(names)
        made_of = _provenance(one, names)
        yield Standing(
            name=part if part == one.name else f"{one.name}: {part}",
            task=one.task,
            figures=tuple(found[part]),
            trials_sha256=trials,
            architecture=made_of.architecture,
            parameters=sum(work[name].parameters for name in names),
            mflops=round(max(work[name].flops for name in names) / 1e6, 1),
            cpu_ms=max(spent[file] for file in networks),
            megabytes=_megabytes(networks),
            cpu_ms_int8=max(spent[file] for file in quick) if whole else None,
            figure_int8=next((f for f in again.get(part, ()) if f.name in _INT8), None)
            if whole
            else None,
            megabytes_int8=_megabytes(quick) if whole else None,
            int8_said=one.int8_said if part == one.name else "",
            licence=made_of.licence,
            training_data=made_of.training_data,
        )


def _provenance(one: Contender, names: Sequence[str]) -> Provenance:
    """Of the whole, or of one member; our own member is what the contender's own provenance tells."""
    if not isinstance(one.transform, LivenessTransform):
        return one.provenance
    parts = [
        one.provenance
        if member.name == OWN_MEMBER
        else Provenance(
            architecture=member.name, licence=member.licence, training_data=member.training_data
        )
        for member in one.transform.members
        if member.name in names
    ]
    if len(parts) == 1:
        return parts[0]
    return Provenance(
        architecture=" + ".join(part.architecture for part in parts),
        licence="; ".join(part.licence for part in parts),
        training_data="; ".join(part.training_data for part in parts),
    )


def _megabytes(files: Sequence[Path]) -> float:
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)


def _small(one: Contender) -> dict[str, Path]:
    """Network -> its int8 form, where there is one."""
    kept = one.int8 or {}
    inside = {name: file.relative_to(one.folder).as_posix() for name, file in one.networks.items()}
    return {name: kept[file] for name, file in inside.items() if file in kept}


def _judged(
    one: Contender,
    instead: Mapping[str, Path] | None,
    crops: pa.Table,
    params: EvaluateParams,
    store: Store,
) -> tuple[dict[str, list[Figure]], str]:
    """Name of the model, and of each member -> its figures; a digest of the trials.

    Args: instead: files that stand in for the float ones.
    """
    opened = _opened(one, instead or {})
    if isinstance(opened, OnnxEncoder):
        result = judge_encoder(opened, crops, params, store)
        names = [row["chip_sha256"] for row in result.test.rows]
        return {one.name: _recognition(result, params)}, _digest(names)
    assert isinstance(one.transform, LivenessTransform)
    panel = judge_panel(opened, one.transform, crops, params, store, LeftOut())
    found = {one.name: _chosen(panel.figures, "all")}
    for member in one.transform.members:
        found.setdefault(member.name, _chosen(panel.slices, f"{_MEMBER}{member.name}"))
    return found, _digest([row["context_sha256"] for row in panel.test.rows])


def _opened(one: Contender, instead: Mapping[str, Path]) -> OnnxEncoder | dict[str, OnnxPadMember]:
    """Raises: TransformMismatch, WeightsUnavailable."""
    if not isinstance(one.transform, LivenessTransform):
        return OnnxEncoder(instead.get(EMBEDDING, one.folder / EMBEDDING), one.transform)
    return {
        member.name: OnnxPadMember(instead.get(member.file, one.folder / member.file), member)
        for member in one.transform.members
    }


def _chosen(figures: Sequence[Figure], slice_name: str) -> list[Figure]:
    found = {figure.name: figure for figure in figures if figure.slice == slice_name}
    return [found[name] for name in _PANEL if name in found]


def _recognition(result: RecognitionResult, params: EvaluateParams) -> list[Figure]:
    """Accuracy, EER, TAR and FNMR at the requested FMR, and the FMR that test realised there."""
    found = {figure.name: figure for figure in result.figures if figure.slice == "all"}
    at = exponent(params.fmr)
    missed = found[f"fnmr_at_fmr_{at}"]
    return [
        accuracy(result.validation.whole(params.seed), result.whole, params),
        found["eer"],
        accepted_of(missed, f"tar_at_fmr_{at}"),
        missed,
        found[f"realised_fmr_{at}"],
    ]


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
