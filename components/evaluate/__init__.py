"""Evaluate: Checkpoint + FaceCrops -> EvaluationReport."""

from components.evaluate.params import EvaluateParams
from components.evaluate.step import EvaluateReport, evaluate_model

__all__ = ["EvaluateParams", "EvaluateReport", "evaluate_model"]
