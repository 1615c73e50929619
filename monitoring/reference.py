"""The reference window: what traffic is compared with.

First the rows that `evaluate` wrote into the champions (`reference_features.parquet`); once an
operator has confirmed a live window as healthy, that one, frozen, as long as the same champions
answer. A laboratory's share of mated pairs, people and attacks is not a door's: what may be
compared with it is said by `Reference.live`.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from monitoring.params import MonitorParams
from monitoring.window import Skipped, Window, read_features
from vultus.contracts.evaluation import FIGURES
from vultus.contracts.home import Home
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.errors import BadArtifact, BadParameter
from vultus.signing import ChampionPointer

_MODELS = (RECOGNITION_MODEL, PAD_MODEL)


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; n = what it was counted in."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reference:
    """Rows of FEATURE_SCHEMA with the models that made them.

    models: registered name -> "name/version" of the champion whose rows these are.
    bpcer: bona fide presentations that the PAD champion refuses, from its evaluation.
    """

    id: str
    live: bool
    table: pa.Table
    models: dict[str, str] = field(default_factory=dict)
    bpcer: Share | None = None
    skipped: tuple[Skipped, ...] = ()

    @property
    def name(self) -> str:
        """As a sentence names it."""
        return "the reference window" if self.live else "the evaluation data"


class FrozenReference(BaseModel):
    """reference.json beside the frozen rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    models: dict[str, str]
    rows: int
    start: datetime
    end: datetime
    confirmed_at: datetime


def reference_window(home: Home) -> Reference:
    """The frozen live window of today's champions, else their evaluation rows, else no row."""
    champions, skipped = _champions(home)
    models = {name: f"{name}/{pointer.version}" for name, pointer in champions.items()}
    bpcer = _bpcer(champions[PAD_MODEL].path) if PAD_MODEL in champions else None
    frozen = _frozen(home, models)
    if frozen is not None:
        about, table = frozen
        return Reference(about.id, True, table, models, bpcer, tuple(skipped))
    tables = []
    for pointer in champions.values():
        read = read_features(pointer.path / "reference_features.parquet")
        if isinstance(read, Skipped):
            skipped.append(read)
        else:
            tables.append(read)
    table = pa.concat_tables(tables) if tables else FEATURE_SCHEMA.empty_table()
    name = "evaluation " + " ".join(models.values()) if models else "none"
    return Reference(name, False, table, models, bpcer, tuple(skipped))


def freeze(home: Home, window: Window, params: MonitorParams, *, now: datetime) -> FrozenReference:
    """Make a window that a person found healthy the reference from now on.

    Rows of models that are no champions any more are left out.
    Raises: BadParameter, with fewer rows than `freeze_rows`.
    """
    champions, _ = _champions(home)
    models = {name: f"{name}/{pointer.version}" for name, pointer in champions.items()}
    table = of_models(window.table, models)
    if table.num_rows < params.freeze_rows:
        raise BadParameter(
            f"{table.num_rows} rows of today's champions are in the window, a reference needs "
            f"{params.freeze_rows}; widen it with --last or --rows, or wait"
        )
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    start, end = table["ts"][0].as_py(), table["ts"][-1].as_py()
    digest = hashlib.sha256(
        json.dumps([models, table.num_rows, str(start), str(end)]).encode()
    ).hexdigest()[:8]
    about = FrozenReference(
        id=f"live-{end.astimezone(UTC):%Y%m%d-%H%M}-{digest}",
        models=models,
        rows=table.num_rows,
        start=start,
        end=end,
        confirmed_at=now,
    )
    partial = folder / f".{about.id}.{os.getpid()}"
    pq.write_table(table, partial)
    partial.replace(folder / f"{about.id}.parquet")
    partial.write_text(about.model_dump_json(indent=2))
    partial.replace(folder / "reference.json")
    return about


def of_models(table: pa.Table, models: dict[str, str]) -> pa.Table:
    """Rows that today's champions answered, or whose model is not said."""
    keep = pa.array([True] * table.num_rows)
    for name, column in ((RECOGNITION_MODEL, "model_recognition"), (PAD_MODEL, "model_pad")):
        if name in models:
            same = pc.fill_null(pc.equal(table[column], models[name]), True)
            keep = pc.and_(keep, same)
    return table.filter(keep)


def _champions(home: Home) -> tuple[dict[str, ChampionPointer], list[Skipped]]:
    found: dict[str, ChampionPointer] = {}
    skipped = []
    for name in _MODELS:
        try:
            pointer = ChampionPointer.read(home, name)
        except (OSError, ValidationError) as error:
            skipped.append(Skipped(home.models / name / "champion.json", str(error)[:200]))
            continue
        if pointer is not None:
            found[name] = pointer
    return found, skipped


def _frozen(home: Home, models: dict[str, str]) -> tuple[FrozenReference, pa.Table] | None:
    """None, where nobody confirmed a window of these very models. Raises: BadArtifact."""
    file = _folder(home) / "reference.json"
    if not file.exists():
        return None
    try:
        about = FrozenReference.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadArtifact(f"{file} cannot be read: {error}; delete it, then confirm") from error
    if about.models != models:
        return None
    table = read_features(file.with_name(f"{about.id}.parquet"))
    if isinstance(table, Skipped):
        raise BadArtifact(
            f"{table.file} cannot be read: {table.reason}; delete {file}, then confirm a window"
        )
    return about, table


def _bpcer(version: Path) -> Share | None:
    """The champion's own figure over all test presentations."""
    file = version / "figures.json"
    if not file.exists():
        return None
    for figure in FIGURES.validate_json(file.read_bytes()):
        if figure.name == "bpcer" and figure.slice == "all" and figure.value is not None:
            low = figure.value if figure.low is None else figure.low
            high = figure.value if figure.high is None else figure.high
            return Share(figure.value, low, high, figure.n)
    return None


def _folder(home: Home) -> Path:
    return home.features / "reference"
