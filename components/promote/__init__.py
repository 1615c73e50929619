"""The gate between a registered version and the alias `champion`."""

from components.promote.step import PromoteParams, PromoteReport, promote_model

__all__ = ["PromoteParams", "PromoteReport", "promote_model"]
