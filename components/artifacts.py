"""KFP's names for the artifacts of vultus.contracts: a wrong hand-over fails at compile time."""

from kfp import dsl


class RawFaces(dsl.Artifact):
    """Twin of vultus.contracts.faces.RawFaces."""

    schema_title = "system.VultusRawFaces"
    schema_version = "0.0.1"


class FaceCrops(dsl.Artifact):
    """Twin of vultus.contracts.faces.FaceCrops."""

    schema_title = "system.VultusFaceCrops"
    schema_version = "0.0.1"


class ValidationReport(dsl.Artifact):
    """Twin of vultus.contracts.faces.ValidationReport."""

    schema_title = "system.VultusValidationReport"
    schema_version = "0.0.1"


class Checkpoint(dsl.Artifact):
    """Twin of vultus.contracts.models.Checkpoint."""

    schema_title = "system.VultusCheckpoint"
    schema_version = "0.0.1"


class EvaluationReport(dsl.Artifact):
    """Twin of vultus.contracts.evaluation.EvaluationReport."""

    schema_title = "system.VultusEvaluationReport"
    schema_version = "0.0.1"


class OnnxModel(dsl.Artifact):
    """Twin of vultus.contracts.models.OnnxModel."""

    schema_title = "system.VultusOnnxModel"
    schema_version = "0.0.1"


class ModelVersion(dsl.Artifact):
    """Twin of vultus.contracts.models.ModelVersion."""

    schema_title = "system.VultusModelVersion"
    schema_version = "0.0.1"
