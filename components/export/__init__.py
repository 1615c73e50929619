"""Export: Checkpoint and EvaluationReport -> OnnxModel."""

from components.export.params import ExportParams
from components.export.step import ExportReport, export_model

__all__ = ["ExportParams", "ExportReport", "export_model"]
