"""The gate between a registered version and the alias `champion`, and the rollout behind it."""

from components.promote.rollout import roll_out
from components.promote.step import PromoteParams, PromoteReport, promote_model

__all__ = ["PromoteParams", "PromoteReport", "promote_model", "roll_out"]
