"""ModelVersion folders -> FaceAnalyser. Nothing is loaded that was not signed with the trusted key."""

from pathlib import Path
from typing import TYPE_CHECKING

from vultus.contracts.evaluation import FIGURES
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import DetectorParams, LivenessTransform, RecognitionTransform
from vultus.contracts.words import Task, Verdict
from vultus.errors import TransformMismatch
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.detector import mtcnn_detector
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.panel import PadPanel
from vultus.inference.thresholds import Thresholds
from vultus.signing import verify_version

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ENCODER_FILE = "model.onnx"


def open_analyser(
    recognition: Path | None,
    pad: Path | None,
    public_key: "Ed25519PublicKey",
    *,
    threads: int = 1,
) -> tuple[FaceAnalyser, Thresholds | None]:
    """Check two ModelVersion folders and open their networks.

    Args:
        recognition, pad: folders; None leaves that half out.
        public_key: whose signature is trusted.
        threads: inside one operator of one network.
    Returns: the analyser, and the thresholds of the recogniser where there is one.
    Raises: BadSignature, BadArtifact, TransformMismatch, WeightsUnavailable.
    """
    embedder = None if recognition is None else _opened(recognition, public_key)
    judge = None if pad is None else _opened(pad, public_key)
    encoder: OnnxEncoder | None = None
    if embedder is not None:
        encoder = OnnxEncoder(embedder.path / _ENCODER_FILE, _matching(embedder), threads)
    panel: PadPanel | None = None
    if judge is not None:
        panel = PadPanel(judge.path, _panel_transform(judge), threads)
    analyser = FaceAnalyser(
        mtcnn_detector(_detector_of(embedder, judge), threads=threads),
        encoder,
        panel,
        recognition=None if embedder is None else version_name(embedder),
        pad=None if judge is None else version_name(judge),
        pad_status=Verdict.NOT_ENOUGH_DATA if judge is None else pad_status(judge),
    )
    return analyser, None if embedder is None else Thresholds.read(embedder)


def version_name(version: ModelVersion) -> str:
    """Such as "vultus-pad/3"; a folder that is no registered copy is named by its content."""
    number = version.path.name
    name = version.statement.name
    return f"{name}/{number if number.isdigit() else version.digest[:12]}"


def pad_status(version: ModelVersion) -> Verdict:
    """What the evaluation of a PAD version comes to, over the figures that carry a verdict.

    One failed figure fails the model; without a failure, one that lacks data leaves it open.
    """
    figures = FIGURES.validate_json((version.path / "figures.json").read_bytes())
    verdicts = {figure.verdict for figure in figures} - {None}
    for verdict in (Verdict.FAIL, Verdict.NOT_ENOUGH_DATA, Verdict.PASS):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_ENOUGH_DATA


def _opened(folder: Path, public_key: "Ed25519PublicKey") -> ModelVersion:
    verify_version(folder, public_key)
    return ModelVersion.open(folder)


def _matching(version: ModelVersion) -> RecognitionTransform:
    if not isinstance(version.transform, RecognitionTransform):
        raise _wrong_task(version, Task.RECOGNITION)
    return version.transform


def _panel_transform(version: ModelVersion) -> LivenessTransform:
    if not isinstance(version.transform, LivenessTransform):
        raise _wrong_task(version, Task.LIVENESS)
    return version.transform


def _wrong_task(version: ModelVersion, wanted: Task) -> TransformMismatch:
    return TransformMismatch(
        f"{version.path} is a {version.task} model, a {wanted} model is needed here; "
        "check which folder was handed over"
    )


def _detector_of(*versions: ModelVersion | None) -> DetectorParams:
    """The detector that every version was trained behind. Raises: TransformMismatch."""
    given = [version for version in versions if version is not None]
    if not given:
        return DetectorParams()
    first, *others = given
    for other in others:
        if other.transform.detector != first.transform.detector:
            raise TransformMismatch(
                f"{version_name(first)} and {version_name(other)} were trained behind different "
                "detectors; train one of them again with the other's detector params"
            )
    return first.transform.detector
