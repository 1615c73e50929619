"""What an export computes."""

from pydantic import BaseModel, ConfigDict, Field


class ExportParams(BaseModel):
    """Params of the export step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(
        default=1e-4, gt=0, description="largest allowed difference to torch; above, no model"
    )
    inputs: int = Field(default=32, ge=1, description="evaluated pictures the two are compared on")
    int8: bool = Field(default=False, description="write an int8 form beside each network")
    int8_min_cosine: float = Field(
        default=0.9, ge=-1, le=1, description="of an embedding to its float32 one; below, no int8"
    )
    int8_max_difference: float = Field(
        default=0.1,
        gt=0,
        description="of a PAD score, 0 to 1, to its float32 one; above, no int8",
    )
