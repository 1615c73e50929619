"""What an export computes."""

from pydantic import BaseModel, ConfigDict, Field


class ExportParams(BaseModel):
    """Params of the export step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(
        default=1e-4, gt=0, description="largest allowed difference to torch; above, no model"
    )
    inputs: int = Field(default=32, ge=1, description="evaluated pictures the two are compared on")
