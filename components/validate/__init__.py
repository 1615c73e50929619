"""Stops bad data: one suite of expectations in code, Data Docs kept."""

from components.validate.params import ValidateParams
from components.validate.step import ValidateReport, validate_crops

__all__ = ["ValidateParams", "ValidateReport", "validate_crops"]
