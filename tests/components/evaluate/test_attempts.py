"""The whole system under attack: IAPAR and RIAPAR from the raw attempts, and reckoned by the gate."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from components.promote.reckoning import reckoning_reasons
from support.evaluated import Bench, Judged
from support.versions import pad_model, recognition_model, recognition_report
from vultus.contracts.artifact import sha256_of, write_table
from vultus.contracts.evaluation import FIGURES, SYSTEM_ATTEMPTS, EvaluationReport, Figure
from vultus.contracts.models import Checkpoint, ModelVersion, OnnxModel
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.contracts.words import Evidence
from vultus.errors import BadParameter
from vultus.faces.picture import decode_image
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.thresholds import Thresholds
from vultus.metrics import clopper_pearson
from vultus.reports.blocks import tied

pytestmark = pytest.mark.slow

NAME = "models:/vultus-recognition/3"


def joined(folder: Path, model: Path, report: Path) -> ModelVersion:
    """Both in one folder, as `register` joins them; nothing is signed here."""

    def fill(place: Path) -> None:
        for artifact in (OnnxModel.open(model), EvaluationReport.open(report)):
            for name in artifact.manifest.sha256:
                (place / name).write_bytes((artifact.path / name).read_bytes())

    return ModelVersion.create(folder, fill, made_by="test", facts={})


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> ModelVersion:
    root = tmp_path_factory.mktemp("recogniser")
    return joined(
        root / "version", recognition_model(root / "model"), recognition_report(root / "report")
    )


def beside(pad: Bench, out: Path, version: ModelVersion) -> EvaluationReport:
    """The panel judged beside a recogniser."""
    return pad.evaluate(
        out, recogniser=NAME, max_bpcer=0.3, version_of=lambda uri: {NAME: version}[uri]
    )[1]


@pytest.fixture(scope="module")
def system(pad: Bench, recogniser: ModelVersion) -> EvaluationReport:
    return beside(pad, pad.root / "system", recogniser)


def test_figures_of_the_system_follow_from_the_raw_attempts(system: EvaluationReport) -> None:
    rows = system.table("system.parquet").to_pandas()
    rows = rows[rows.reference.notna()]
    through = rows.pad_accepted & (rows.score >= rows.threshold)
    frr = 1 - through[rows.species.isna()].mean()
    found = {"all": 0.0}
    for species, part in through.groupby(rows.species):
        found[f"species={species}"] = part.mean()
        found["all"] = max(found["all"], part.mean())
        figure = system.figure("iapar", f"species={species}")
        assert figure is not None
        assert figure.n == len(part)
        exact = clopper_pearson(int(part.sum()), len(part))
        assert figure.low is not None and figure.high is not None  # noqa: PT018
        assert figure.low <= exact.low + 1e-12
        assert figure.high >= exact.high - 1e-12
    for name, value in found.items():
        iapar, riapar = system.figure("iapar", name), system.figure("riapar", name)
        assert iapar is not None
        assert riapar is not None
        assert iapar.value == pytest.approx(value, abs=1e-12)
        assert riapar.value == pytest.approx(value + frr, abs=1e-12)


def test_no_attack_gets_through_the_system_that_pad_or_comparison_refuses(
    system: EvaluationReport,
) -> None:
    for species in ("print", "replay", "mask"):
        whole = system.figure("iapar", f"species={species}")
        assert whole is not None
        for part in ("iapmr", "apcer"):
            figure = system.figure(part, f"species={species}")
            assert figure is not None
            assert whole.value is not None
            assert figure.value is not None
            assert whole.value <= figure.value


def test_an_attempt_is_compared_with_another_untouched_picture_of_its_person(
    pad: Bench, recogniser: ModelVersion, system: EvaluationReport
) -> None:
    crops = pad.rows.to_pylist()
    by_chip = {row["chip_sha256"]: row for row in crops}
    by_context = {row["context_sha256"]: row for row in crops}
    transform = recogniser.transform
    assert isinstance(transform, RecognitionTransform)
    encoder = OnnxEncoder(recogniser.path / "model.onnx", transform)
    threshold = Thresholds.read(recogniser).at(1e-3)
    for attempt in system.table("system.parquet").to_pylist():
        probe, mate = by_context[attempt["image"]], by_chip[attempt["reference"]]
        assert mate["subject"] == probe["subject"]
        assert mate["split"] == "test"
        assert mate["presentation"] == "bona_fide"
        assert not mate["simulated"]
        assert mate["image_sha256"] != probe["image_sha256"]
        pair = [decode_image(pad.store.get(one["chip_sha256"])) for one in (probe, mate)]
        a, b = encoder.encode(np.stack(pair))
        assert attempt["score"] == pytest.approx(float(a @ b), abs=1e-5)
        assert attempt["threshold"] == pytest.approx(threshold, abs=1e-6)


def test_without_a_recogniser_nothing_is_said_of_the_system(pad_judged: Judged) -> None:
    _, alone = pad_judged
    assert "system.parquet" not in alone.manifest.sha256
    assert alone.figure("iapar") is None
    assert "Not measured: no recogniser was named" in (alone.path / "report.html").read_text()


def test_a_panel_is_no_recogniser(pad: Bench, tmp_path: Path) -> None:
    panel = pad_model(tmp_path / "pad", [("brightness", 0.0, 1e9, Evidence.SIMULATED)])
    wrong = joined(tmp_path / "version", panel, recognition_report(tmp_path / "report"))
    with pytest.raises(BadParameter, match="compares nobody"):
        beside(pad, tmp_path / "out", wrong)


def test_the_report_says_with_whom_the_system_was_judged(system: EvaluationReport) -> None:
    page = (system.path / "report.html").read_text()
    assert NAME in page
    for word in ("IAPAR", "RIAPAR", "ACER", tied("BPCER at APCER 1 %")):
        assert word in page


def _version(pad: Bench, report: Path, folder: Path) -> ModelVersion:
    """The panel's own transform with thresholds, as export leaves it; the gate runs no network here."""
    trained = Checkpoint.open(pad.checkpoint)
    transform = trained.transform
    assert isinstance(transform, LivenessTransform)
    judged = EvaluationReport.open(report)
    limits = judged.manifest.facts["member_thresholds"]

    def fill(place: Path) -> None:
        members = []
        for member in transform.members:
            (place / f"{member.name}.onnx").write_bytes(b"not run")
            changes = {
                "file": f"{member.name}.onnx",
                "sha256": sha256_of(place / f"{member.name}.onnx"),
                "threshold": limits[member.name],
            }
            members.append(member.model_copy(update=changes))
        whole = transform.model_copy(update={"members": tuple(members)})
        (place / "transform.json").write_text(whole.model_dump_json())
        for name in judged.manifest.sha256:
            (place / name).write_bytes((judged.path / name).read_bytes())

    return ModelVersion.create(folder, fill, made_by="test", facts={"task": "liveness"})


@dataclass(frozen=True)
class Change:
    """What a saboteur does to the signed files. columns: system.parquet -> new columns."""

    said: str
    columns: Callable[[pd.DataFrame], dict[str, object]] = lambda _: {}
    figure: Callable[[Figure], Figure] = lambda one: one
    gone: bool = False

    def made(self, report: EvaluationReport, folder: Path) -> Path:
        """The report with these changes, whole again."""
        table = report.table("system.parquet").to_pandas()
        for column, values in self.columns(table).items():
            table[column] = values
        rows = pa.Table.from_pandas(table, schema=SYSTEM_ATTEMPTS, preserve_index=False)
        figures = [self.figure(one) for one in report.figures]

        def fill(place: Path) -> None:
            for name in report.manifest.sha256:
                (place / name).write_bytes((report.path / name).read_bytes())
            (place / "figures.json").write_bytes(FIGURES.dump_json(figures))
            write_table(rows, SYSTEM_ATTEMPTS, place / "system.parquet")
            if self.gone:
                (place / "system.parquet").unlink()

        EvaluationReport.create(folder, fill, made_by="test", facts=report.manifest.facts)
        return folder


def _kinder_to_masks(one: Figure) -> Figure:
    """An APCER of one species that no score gives."""
    if (one.name, one.slice) != ("apcer", "species=mask"):
        return one
    return one.model_copy(update={"value": abs((one.value or 0) - 0.3)})


def test_the_gate_reckons_the_system_again(pad: Bench, system: EvaluationReport) -> None:
    version = _version(pad, system.path, pad.root / "honest")
    assert list(reckoning_reasons(version)) == []


@pytest.mark.parametrize(
    "change",
    [
        Change("is signed as", columns=lambda t: {"score": -t.score}),
        Change("what PAD accepts", columns=lambda t: {"pad_accepted": ~t.pad_accepted}),
        Change("are not its test", columns=lambda t: {"image": t.image[::-1].to_numpy()}),
        Change("states figures of the whole system", gone=True),
        Change("apcer (species=mask) is signed as", figure=_kinder_to_masks),
    ],
    ids=lambda change: change.said,
)
def test_the_gate_refuses_attempts_that_are_not_this_panels(
    pad: Bench, system: EvaluationReport, tmp_path: Path, change: Change
) -> None:
    report = change.made(system, tmp_path / "report")
    reasons = list(reckoning_reasons(_version(pad, report, tmp_path / "version")))
    assert any(change.said in reason for reason in reasons), reasons


def test_system_attempts_are_one_for_each_presentation(system: EvaluationReport) -> None:
    rows = system.scores.to_pandas()
    panel = rows[(rows.member == "panel") & (rows.split == "test")]
    attempts = system.table("system.parquet").to_pandas()
    assert attempts.image.tolist() == panel.image.tolist()
    pd.testing.assert_series_equal(
        attempts.species.reset_index(drop=True), panel.species.reset_index(drop=True)
    )
