"""Made-up versions: a model and its evaluation in one folder, as `register` joins them, unsigned."""

from pathlib import Path

from support.versions import pad_model, pad_report, recognition_model, recognition_report
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import ModelVersion, OnnxModel
from vultus.contracts.words import Evidence


def version(folder: Path, model: Path, report: Path) -> ModelVersion:
    """Both in one folder."""
    onnx, evaluation = OnnxModel.open(model), EvaluationReport.open(report)

    def fill(place: Path) -> None:
        for artifact in (onnx, evaluation):
            for name in artifact.manifest.sha256:
                (place / name).write_bytes((artifact.path / name).read_bytes())

    facts = {"trials_sha256": evaluation.manifest.facts["trials_sha256"]}
    return ModelVersion.create(folder, fill, made_by="test", facts=facts)


def recogniser(folder: Path, off: float = 0.0, **report: object) -> ModelVersion:
    model = recognition_model(folder / "model", off=off)
    judged = recognition_report(folder / "report", **report)  # type: ignore[arg-type]
    return version(folder / "version", model, judged)


def panel(
    folder: Path, *members: tuple[str, float, float, Evidence], **report: float
) -> ModelVersion:
    judged = pad_report(folder / "report", **report)  # type: ignore[arg-type]
    return version(folder / "version", pad_model(folder / "model", members), judged)
