"""A signed model version into the registry, with its lineage."""

from components.register.step import RegisterParams, RegisterReport, register_model

__all__ = ["RegisterParams", "RegisterReport", "register_model"]
