"""OnnxModel + EvaluationReport -> one signed ModelVersion, registered; promotion is another step."""

import logging
import shlex
import shutil
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.artifact import MANIFEST
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import ModelVersion, OnnxModel
from vultus.contracts.seams import Registry, Tracker, VersionRef
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, Task
from vultus.errors import BadArtifact, TrackingUnavailable
from vultus.signing import PrivateKey, sign_version

logger = logging.getLogger(__name__)

MODEL_NAMES = {Task.RECOGNITION: RECOGNITION_MODEL, Task.LIVENESS: PAD_MODEL}
EXPERIMENTS = {Task.RECOGNITION: "vultus-recognition", Task.LIVENESS: "vultus-liveness"}
_DOCUMENTS = ("report.html", "report.pdf")


class RegisterParams(BaseModel):
    """What decides the registered version beside the model itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: str = Field(default="", description="a sentence that stays with the version")


class RegisterReport(BaseModel):
    """Where the model is now."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    run_id: str
    digest: str
    known: bool = Field(description="this very content was registered before")
    seconds: float

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        return self.model_dump()


def register_model(
    model: Path,
    evaluation: Path,
    out: Path,
    params: RegisterParams,
    *,
    registry: Registry,
    tracker: Tracker,
    signing_key: PrivateKey,
    git_commit: str,
    made_by: str = "register",
) -> RegisterReport:
    """Write the ModelVersion at `out` and register it.

    Args:
        model: OnnxModel; evaluation: the EvaluationReport of the same checkpoint.
        out: ModelVersion folder; it stays whole where MLflow refuses.
        registry, tracker: MLflow.
        signing_key: signs weights, transform, thresholds, figures and lineage together.
        git_commit: of the code that runs.
    Raises: BadArtifact, if the two do not belong together; TrackingUnavailable, naming the command
        that registers the finished folder later.
    """
    start = time.monotonic()
    onnx, report = OnnxModel.open(model), EvaluationReport.open(evaluation)
    _check_pair(onnx, report)
    name = MODEL_NAMES[onnx.task]
    try:
        run_id, commit = _origin(onnx, report, registry, tracker, git_commit)
        version = _version(onnx, report, out, name, run_id, signing_key, commit, made_by)
        same = (v for v in registry.versions(name) if v.tags.get("digest") == version.digest)
        known = next(same, None)
        ref = known or _register(version, onnx, report, run_id, params, registry, tracker, commit)
    except TrackingUnavailable as error:
        raise TrackingUnavailable(
            f"{error}\n    the model is safe: {model}; register it later with\n    "
            + shlex.join(
                [
                    *("vultus", "step", "register", "--in", f"model={model}"),
                    *("--in", f"evaluation={evaluation}", "--out", f"version={out}"),
                ]
            )
        ) from error
    logger.info("register: done, %s", ref)
    return RegisterReport(
        name=name,
        version=ref.version,
        run_id=run_id,
        digest=version.digest,
        known=known is not None,
        seconds=time.monotonic() - start,
    )


def _check_pair(onnx: OnnxModel, report: EvaluationReport) -> None:
    ours, theirs = (a.manifest.facts.get("checkpoint_digest") for a in (onnx, report))
    if ours != theirs:
        raise BadArtifact(
            f"{onnx.path} was exported from checkpoint {ours}, {report.path} judges {theirs}; "
            "hand over the evaluation of the same training"
        )


def _origin(
    onnx: OnnxModel, report: EvaluationReport, registry: Registry, tracker: Tracker, commit: str
) -> tuple[str, str]:
    """Run and commit that are signed with the model.

    The run is the training's own; a new one, where MLflow was down or empty while it trained. A second
    attempt finds the run of the first, and the commit too where it brings the very same model: both
    are signed, and a file that was edited meanwhile would make another version of the same model.
    """
    known = [
        version
        for version in registry.versions(MODEL_NAMES[onnx.task])
        if version.tags.get("evaluation_digest") == report.digest
    ]
    for version in known:
        if version.tags.get("model_digest") == onnx.digest:
            return version.run_id, version.tags.get("git_commit", commit)
    if known:
        return known[0].run_id, commit
    run_id = onnx.manifest.facts.get("run_id") or None
    with tracker.run(EXPERIMENTS[onnx.task], "register", run_id=run_id) as run:
        return run.run_id, commit


def _version(
    onnx: OnnxModel,
    report: EvaluationReport,
    out: Path,
    name: str,
    run_id: str,
    key: PrivateKey,
    git_commit: str,
    made_by: str,
) -> ModelVersion:
    """Everything a server or a gate needs, in one signed folder."""
    data = str(onnx.manifest.facts["crops_digest"])

    def fill(folder: Path) -> None:
        for artifact in (onnx, report):
            for file in artifact.manifest.sha256:
                if file in _DOCUMENTS or file == MANIFEST:
                    continue
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(artifact.path / file, target)
        sign_version(
            folder,
            key,
            name=name,
            data_sha256=data,
            evaluated_data_sha256=str(report.manifest.facts["crops_digest"]),
            git_commit=git_commit,
            run_id=run_id,
        )

    said = {name: onnx.manifest.facts.get(name) for name in ("provenance", "int8")}
    facts = {
        **{name: value for name, value in said.items() if value},
        "task": onnx.task.value,
        "checkpoint_digest": onnx.manifest.facts["checkpoint_digest"],
        "evaluation_digest": report.digest,
        "crops_digest": data,
        "trials_sha256": report.manifest.facts["trials_sha256"],
        "run_id": run_id,
    }
    return ModelVersion.create(out, fill, made_by=made_by, facts=facts)


def _register(
    version: ModelVersion,
    onnx: OnnxModel,
    report: EvaluationReport,
    run_id: str,
    params: RegisterParams,
    registry: Registry,
    tracker: Tracker,
    git_commit: str,
) -> VersionRef:
    """Log figures and documents to the run, then add the version."""
    name = MODEL_NAMES[version.task]
    figures = {
        f"test_{figure.name}": figure.value
        for figure in report.figures
        if figure.slice == "all" and figure.value is not None
    }
    with tracker.run(EXPERIMENTS[version.task], "register", run_id=run_id) as run:
        run.log_metrics({key.replace("@", "_at_"): value for key, value in figures.items()})
        for document in _DOCUMENTS:
            if (report.path / document).exists():
                run.log_file(report.path / document, "evaluation")
        tags = {
            "task": version.task.value,
            "data_sha256": version.statement.data_sha256,
            "git_commit": git_commit,
            "model_digest": onnx.digest,
            "evaluation_digest": report.digest,
            "trials_sha256": str(version.manifest.facts["trials_sha256"]),
            "note": params.note,
        }
        return registry.register(name, version.path, run_id=run_id, tags=tags)
