"""The rules of the gate, as numbers."""

from pydantic import BaseModel, ConfigDict, Field


class PromoteParams(BaseModel):
    """Rules of the gate. Floors are for any data and are guesses until a site sets its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_eer: float = Field(default=0.15, gt=0, lt=1, description="recognition, test split")
    min_pad_auc: float = Field(default=0.6, ge=0.5, lt=1, description="lower end of the interval")
    max_bpcer: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="bona fide presentations of the test split refused at the panel's own thresholds",
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of the paired comparison")
    replicates: int = Field(default=400, ge=50, description="bootstrap over subjects or images")
    tolerance: float = Field(
        default=0.002, ge=0, description="loss of the guarded figure that is taken for equal"
    )
    max_rise: float = Field(
        default=0.25,
        ge=0,
        description="of the EER over all trials, as a share of the champion's and beside `tolerance`: "
        "more is refused at `doubt`",
    )
    doubt: float = Field(
        default=0.05, ge=0, le=1, description="p before Holm at which a large rise is refused"
    )
    max_model_mb: float = Field(default=250, gt=0)
    seed: int = 0
    fmr: float = Field(
        default=1e-2, gt=0, lt=1, description="shared operating point of recognition: FMR"
    )
    bpcer: float = Field(
        default=0.05, gt=0, lt=1, description="shared operating point of PAD: BPCER"
    )
    min_slice: int = Field(
        default=30, ge=1, description="trials of either kind below which nothing is compared"
    )
    parity_pictures: int = Field(
        default=24, ge=2, description="test pictures on which the ONNX must repeat its scores"
    )
    parity_tolerance: float = Field(
        default=2e-3, gt=0, description="largest difference of a score, ONNX against the evaluation"
    )
    max_latency_ratio: float = Field(
        default=1.5, gt=0, description="CPU time of one picture, candidate over champion; medians"
    )
    latency_rounds: int = Field(default=9, ge=3, description="interleaved timings of each")
    max_size_ratio: float = Field(
        default=2.0, gt=0, description="bytes of all networks, candidate over champion"
    )
    near_duplicate_bits: int = Field(
        default=3, ge=0, le=8, description="perceptual hashes so near are one picture"
    )
    max_lost_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="of the champion's pictures that data without one new picture may lack",
    )
    max_days_behind: int = Field(
        default=365, ge=0, description="newest capture, so long before the champion's"
    )
    trigger_probes: int = Field(
        default=3,
        ge=0,
        description="probes of the backdoor sweep, each of another subject; 0 = off",
    )
    max_trigger_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="wrongly accepted under one patch from which it is a key",
    )
