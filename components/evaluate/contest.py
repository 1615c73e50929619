"""Several models on the same trials: what each gets right, and what it costs."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from components.evaluate.levels import exponent
from components.evaluate.liveness import judge_panel
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import judge_encoder
from components.evaluate.wording import name_of, with_interval
from vultus.contracts.evaluation import Figure
from vultus.contracts.models import ModelVersion, OnnxModel
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.dataset.leftout import LeftOut
from vultus.errors import BadParameter
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.panel import OnnxPadMember
from vultus.inference.session import session_of
from vultus.networks.work import work_of
from vultus.reports import Block, Heading, Picture, Table, Text
from vultus.reports.charts import scatter_chart

_FLOAT, _INT8 = "model.onnx", "model.int8.onnx"
_ROUNDS, _WARM = 15, 2
_NONE = "–"


@dataclass(frozen=True)
class Contender:
    """A folder with ONNX files, the transform they were made for, and whose weights they are."""

    name: str
    folder: Path
    transform: RecognitionTransform | LivenessTransform
    licence: str
    training_data: str

    @classmethod
    def of(
        cls, name: str, model: OnnxModel | ModelVersion, licence: str, training_data: str
    ) -> "Contender":
        """An exported or registered model; a panel names licence and data of its members."""
        transform = model.transform
        if isinstance(transform, LivenessTransform):
            licence = "; ".join(f"{one.name}: {one.licence}" for one in transform.members)
            data = (f"{one.name}: {one.training_data}" for one in transform.members)
            training_data = "; ".join(data)
        return cls(name, model.path, transform, licence, training_data)

    @property
    def files(self) -> list[Path]:
        """The float networks."""
        if isinstance(self.transform, LivenessTransform):
            return [self.folder / member.file for member in self.transform.members]
        return [self.folder / _FLOAT]


class Standing(BaseModel):
    """One line of the table."""

    model_config = ConfigDict(frozen=True)

    name: str
    figures: tuple[Figure, ...]
    trials_sha256: str = Field(description="the same for all, or they could not be compared")
    parameters: int
    mflops: float = Field(description="a picture; all members of a panel together")
    cpu_ms: float = Field(description="a picture, one thread, median; members together")
    cpu_ms_int8: float | None = Field(description="null where the model has no int8 network")
    megabytes: float
    licence: str
    training_data: str


def compare(
    contenders: Sequence[Contender], crops: pa.Table, params: EvaluateParams, store: Store
) -> list[Standing]:
    """Judge all on the trials that `crops` and `params` give, then time them in turn.

    Raises: BadParameter, for models of both tasks; NoTrials; StorageUnavailable.
    """
    if len({one.transform.task for one in contenders}) != 1:
        raise BadParameter("only models of one task can be compared: all recognition, or all PAD")
    judged = [_judged(one, crops, params, store) for one in contenders]
    spent = _timed([*(one.files for one in contenders)])
    int8 = [one.folder / _INT8 for one in contenders]
    faster = iter(_timed([[file] for file in int8 if file.exists()]))
    lines = []
    for one, (figures, trials), ms, small in zip(contenders, judged, spent, int8, strict=True):
        work = [work_of(file) for file in one.files]
        lines.append(
            Standing(
                name=one.name,
                figures=tuple(figures),
                trials_sha256=trials,
                parameters=sum(each.parameters for each in work),
                mflops=round(sum(each.flops for each in work) / 1e6, 1),
                cpu_ms=ms,
                cpu_ms_int8=next(faster) if small.exists() else None,
                megabytes=round(sum(file.stat().st_size for file in one.files) / 1e6, 2),
                licence=one.licence,
                training_data=one.training_data,
            )
        )
    return lines


def comparison_blocks(lines: Sequence[Standing], processor: str) -> list[Block]:
    """The section of a report."""
    names = [figure.name for figure in lines[0].figures]
    heads = [name_of(figure) for figure in lines[0].figures]
    right = [(one.name, *(with_interval(figure) for figure in one.figures)) for one in lines]
    cost = [
        (
            one.name,
            f"{one.parameters:,}",
            f"{one.mflops:,.0f}",
            f"{one.cpu_ms:.2f}",
            _NONE if one.cpu_ms_int8 is None else f"{one.cpu_ms_int8:.2f}",
            f"{one.megabytes:.1f}",
        )
        for one in lines
    ]
    points = [
        (one.name, one.cpu_ms, 100 * one.figures[0].value)
        for one in lines
        if one.figures[0].value is not None
    ]
    blocks: list[Block] = [
        Heading("Models side by side"),
        Text(f"{len(lines)} models, the same trials ({lines[0].figures[0].n:,}) for all."),
        Table(("model", *heads), tuple(right), tuple(range(1, len(names) + 1)),
              "Test split; 95 % intervals in brackets, from drawing persons."),
        Table(("model", "parameters", "MFLOPs", "ms float32", "ms int8", "MB"), tuple(cost),
              (1, 2, 3, 4, 5), "A picture, one thread, processor time, medians of rounds in which "
              f"the models take turns, on {processor}. A multiplication and an addition are two "
              "operations."),
        Table(("model", "licence of the weights", "trained on"),
              tuple((one.name, one.licence, one.training_data) for one in lines)),
    ]  # fmt: skip
    if points:
        chart = scatter_chart(points, "ms a picture, one thread", f"{heads[0]}, %")
        alt = f"{heads[0]} against milliseconds, a point a model"
        blocks.insert(3, Picture(chart, "svg", alt, "Down and left is better."))
    return blocks


def _judged(
    one: Contender, crops: pa.Table, params: EvaluateParams, store: Store
) -> tuple[list[Figure], str]:
    if isinstance(one.transform, RecognitionTransform):
        encoder = OnnxEncoder(one.folder / _FLOAT, one.transform)
        result = judge_encoder(encoder, crops, params, store)
        wanted: tuple[str, ...] = ("eer", f"fnmr_at_fmr_{exponent(params.fmr)}", "auc")
        found, names = result.figures, [row["chip_sha256"] for row in result.test.rows]
    else:
        members = one.transform.members
        scorers = {m.name: OnnxPadMember(one.folder / m.file, m) for m in members}
        panel = judge_panel(scorers, one.transform, crops, params, store, LeftOut())
        wanted = ("pad_eer", "apcer", "bpcer", "pad_auc")
        found, names = panel.figures, [row["context_sha256"] for row in panel.test.rows]
    whole = {figure.name: figure for figure in found if figure.slice == "all"}
    return [whole[name] for name in wanted if name in whole], _digest(names)


def _digest(names: Sequence[str]) -> str:
    import hashlib

    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _timed(groups: Sequence[Sequence[Path]]) -> list[float]:
    """Processor time of one picture through each group of networks, ms; they take turns."""
    rng = np.random.default_rng(0)
    opened = []
    for files in groups:
        sessions = [session_of(file) for file in files]
        inlets = [session.get_inputs()[0] for session in sessions]
        feeds = [{i.name: rng.uniform(-1, 1, (1, *i.shape[1:])).astype(np.float32)} for i in inlets]
        opened.append(list(zip(sessions, feeds, strict=True)))
    spent: list[list[float]] = [[] for _ in opened]
    for turn in range(_ROUNDS + _WARM):
        for place, parts in enumerate(opened):
            began = time.process_time()
            for session, feed in parts:
                session.run(None, feed)
            if turn >= _WARM:
                spent[place].append(1e3 * (time.process_time() - began))
    return [round(statistics.median(each), 3) for each in spent]
