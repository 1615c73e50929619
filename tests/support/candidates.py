"""A workshop for candidates of the gate: evaluated, registered and promoted by the product's own steps.

A candidate is an ONNX file, its transform and a data version. What is evaluated and what is exported
may be told apart: that is what most sabotage is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from unittest import mock

import pyarrow as pa

from components.evaluate import EvaluateParams, evaluate_model
from components.promote import PromoteParams, PromoteReport, promote_model
from components.register import RegisterParams, register_model
from support.tracking import Tracking
from vultus.contracts.artifact import MANIFEST
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import CROP_SCHEMA, FaceCrops
from vultus.contracts.home import Home
from vultus.contracts.models import Checkpoint, OnnxModel, Parity
from vultus.contracts.transform import RecognitionTransform
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.inference.encoder import OnnxEncoder
from vultus.signing import load_or_create_key
from vultus.storage import FolderStore

Band = tuple[str, tuple[int, int, int], int, int]
"""Attribute, colour, first row, rows."""
Candidate = TypeVar("Candidate")
EVALUATION = EvaluateParams(replicates=50, worst=0, reference_rows=100)


@dataclass(frozen=True)
class Recogniser:
    """An embedder on its way to the gate."""

    onnx: bytes
    transform: RecognitionTransform


def dressed(crops: Path, out: Path, store: FolderStore, bands: Sequence[Band]) -> Path:
    """The same faces, every fourth subject of each band with a band of colour across the chip.

    Whether somebody wears it is a declared attribute, so that every band is a subgroup; the pictures
    were captured a day apart.
    """
    first = FaceCrops.open(crops)
    rows = first.crops.to_pylist()
    people = sorted(
        {row["subject"] for row in rows}, key=lambda name: (_split_of(rows, name), name)
    )
    for place, row in enumerate(rows):
        chip = decode_image(store.get(row["chip_sha256"])).copy()
        own = {}
        for number, (name, colour, top, height) in enumerate(bands):
            worn = people.index(row["subject"]) % 4 == 2 * number
            own[name] = "yes" if worn else "no"
            if worn:
                chip[top : top + height] = colour
        row["chip_sha256"] = store.put(encode_jpeg(chip, 95))
        row["attributes"] = sorted(own.items())
        row["captured_at"] = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=place)
    FaceCrops.write(
        out,
        crops=pa.Table.from_pylist(rows, schema=CROP_SCHEMA),
        quarantine=first.quarantine,
        made_by="test",
        facts=first.manifest.facts,
    )
    return out


def _split_of(rows: list[dict[str, Any]], subject: str) -> str:
    return next(str(row["split"]) for row in rows if row["subject"] == subject)


@dataclass
class Workshop(ABC, Generic[Candidate]):
    """A home with one data version, where candidates are made and judged.

    rules: of the gate; crops: the data version of honest candidates; slowness: idle convolutions that
    cost as much as two of its networks.
    """

    root: Path
    crops: Path
    rules: PromoteParams = field(default_factory=PromoteParams)
    slowness: int = 1

    @property
    def home(self) -> Home:
        """State of its own."""
        return Home(self.root / "home")

    @property
    def store(self) -> FolderStore:
        """Holds the pictures."""
        return FolderStore(self.home.store)

    @abstractmethod
    def evaluate(self, name: str, made: Candidate, crops: Path | None = None) -> Path:
        """The real evaluation of this network on this data."""

    @abstractmethod
    def ship(self, folder: Path, made: Candidate, judged: EvaluationReport | None) -> None:
        """Network and transform, as export writes them. Args: judged: its evaluation, if any."""

    def submit(
        self,
        name: str,
        made: Candidate,
        *,
        exported: Candidate | None = None,
        crops: Path | None = None,
        trained_on: Path | None = None,
        edit: Callable[[Path], None] | None = None,
    ) -> PromoteReport:
        """Evaluate, export, register, judge.

        Args: exported: what is signed, if not what was evaluated; trained_on: another data version
            than the one it is evaluated on; edit: changes files of the evaluation before it is signed.
        """
        report = self.evaluate(name, made, crops)
        if edit is not None:
            self._edit(report, edit)
        place, shipped = self.root / name, exported or made
        data = FaceCrops.open(trained_on or crops or self.crops).digest
        judged = EvaluationReport.open(report)

        def fill(folder: Path) -> None:
            self.ship(folder, shipped, judged)
            parity = Parity(inputs=4, max_abs_difference=0.0, min_cosine=1.0, tolerance=1e-4)
            (folder / "parity.json").write_text(parity.model_dump_json())

        facts = {
            "checkpoint_digest": judged.manifest.facts["checkpoint_digest"],
            "crops_digest": data,
            "run_id": "",
        }
        OnnxModel.create(place / "model", fill, made_by="test", facts=facts)
        tracking = Tracking(self.home)
        key = load_or_create_key(self.home.keys / "signing.pem")
        register_model(
            place / "model",
            report,
            place / "version",
            RegisterParams(),
            registry=tracking.registry,
            tracker=tracking.tracker,
            signing_key=key,
            git_commit="c0ffee",
        )
        return promote_model(
            place / "version",
            self.rules,
            registry=tracking.registry,
            tracker=tracking.tracker,
            store=self.store,
            home=self.home,
            signing_key=key,
        )

    def data(self, name: str, change: Callable[[pa.Table], pa.Table]) -> Path:
        """Another data version: the rows of the first one, changed."""
        first = FaceCrops.open(self.crops)
        FaceCrops.write(
            self.root / name,
            crops=change(first.crops),
            quarantine=first.quarantine,
            made_by="test",
            facts=first.manifest.facts,
        )
        return self.root / name

    @staticmethod
    def _edit(report: Path, edit: Callable[[Path], None]) -> None:
        whole = EvaluationReport.open(report)

        def fill(folder: Path) -> None:
            for name in whole.manifest.sha256:
                if name != MANIFEST:
                    (folder / name).write_bytes((report / name).read_bytes())
            edit(folder)

        EvaluationReport.create(report, fill, made_by="test", facts=whole.manifest.facts)


class RecogniserShop(Workshop[Recogniser]):
    """Recognisers, evaluated with the network that they are given as."""

    def evaluate(self, name: str, made: Recogniser, crops: Path | None = None) -> Path:
        """With its ONNX file in the place of torch."""
        place, data = self.root / name, crops or self.crops
        checkpoint = self._checkpoint(place / "checkpoint", made, data)
        file = place / "evaluated.onnx"
        file.write_bytes(made.onnx)
        encoder = OnnxEncoder(file, made.transform)
        with mock.patch("vultus.networks.load.encoder_from", return_value=encoder):
            evaluate_model(checkpoint, data, place / "report", EVALUATION, store=self.store)
        return place / "report"

    def ship(self, folder: Path, made: Recogniser, judged: EvaluationReport | None) -> None:
        """As export writes them."""
        (folder / "model.onnx").write_bytes(made.onnx)
        (folder / "transform.json").write_text(made.transform.model_dump_json())

    def _checkpoint(self, folder: Path, made: Recogniser, data: Path) -> Path:
        """Stands for the training; the network itself is handed to the evaluation."""

        def fill(place: Path) -> None:
            (place / "transform.json").write_text(made.transform.model_dump_json())
            (place / "model.onnx").write_bytes(made.onnx)

        facts = {"crops_digest": FaceCrops.open(data).digest, "run_id": None}
        Checkpoint.create(folder, fill, made_by="test", facts=facts)
        return folder
