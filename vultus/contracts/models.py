"""Models on their way to a server: Checkpoint, OnnxModel, ModelVersion."""

from functools import cached_property

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vultus.contracts.artifact import Artifact
from vultus.contracts.transform import Architecture, LivenessTransform, RecognitionTransform
from vultus.contracts.words import Task

_TRANSFORM: TypeAdapter[RecognitionTransform | LivenessTransform] = TypeAdapter(
    RecognitionTransform | LivenessTransform
)

HISTORY_SCHEMA = pa.schema(
    [
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("step", pa.int64(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)


class _Transformed(Artifact):
    @cached_property
    def transform(self) -> RecognitionTransform | LivenessTransform:
        """The preprocessing this model was made for."""
        return _TRANSFORM.validate_json((self.path / "transform.json").read_bytes())

    @property
    def task(self) -> Task:
        """Which of the two models this is."""
        return Task(self.transform.task)


class Checkpoint(_Transformed):
    """`model.safetensors`, `architecture.json`, `transform.json`, `history.parquet`.

    PAD: `transform.members` lists our own trained member first (file "vultus-own.onnx", which
    `export` makes) and then the fixed ones, whose ONNX files lie in `members/<name>.onnx` already.
    facts: `crops_digest`, `params`, `run_id` (MLflow, may be null), `seconds`.
    """

    SCHEMA = "Checkpoint"

    @cached_property
    def architecture(self) -> Architecture:
        """Which network the weights fit."""
        return Architecture.model_validate_json((self.path / "architecture.json").read_bytes())

    @property
    def weights_file(self) -> str:
        """Path of the safetensors file."""
        return str(self.path / "model.safetensors")


class Parity(BaseModel):
    """parity.json: exported model against the torch one, on the same crops."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(ge=1, description="crops compared")
    max_abs_difference: float
    min_cosine: float | None = Field(default=None, description="embedders only")
    int8_max_abs_difference: float | None = None
    int8_min_cosine: float | None = None
    tolerance: float


class _Exported(_Transformed):
    """Has been compared with the torch model it came from."""

    @cached_property
    def parity(self) -> Parity:
        """How far the export is from the torch model."""
        return Parity.model_validate_json((self.path / "parity.json").read_bytes())


class OnnxModel(_Exported):
    """`transform.json`, `parity.json`, and the networks as ONNX.

    Recognition: `model.onnx` (input "data" float32 [N, 3, S, S], output "embedding" float32 [N, D],
    unit length) and, where it pays, `model.int8.onnx`. PAD: one ONNX a panel member, at
    `member.file` (input the first graph input, output as `member.output` says).
    facts: `checkpoint_digest`, `crops_digest`, `run_id`.
    """

    SCHEMA = "OnnxModel"


class Statement(BaseModel):
    """statement.json: what was signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered model")
    sha256: dict[str, str] = Field(
        description="every file of the version except the statement itself"
    )
    data_sha256: str = Field(description="data version it was trained on")
    evaluated_data_sha256: str = Field(
        default="",
        description="data version its trials come from; empty: signed before this was said",
    )
    git_commit: str
    run_id: str


class ModelVersion(_Exported):
    """OnnxModel + `thresholds.parquet`, `figures.json`, `reference_features.parquet`, statement.

    Files: everything of OnnxModel and of EvaluationReport (without the HTML and PDF),
    `statement.json` (Statement) and `statement.sig` (Ed25519 over its bytes).
    """

    SCHEMA = "ModelVersion"

    @cached_property
    def statement(self) -> Statement:
        """The signed statement; check its signature with `vultus.signing` before believing it."""
        return Statement.model_validate_json((self.path / "statement.json").read_bytes())
