"""Stops bad data: one suite of expectations in code, Data Docs kept."""

from components.validate.step import ValidateParams, ValidateReport, validate_crops

__all__ = ["ValidateParams", "ValidateReport", "validate_crops"]
