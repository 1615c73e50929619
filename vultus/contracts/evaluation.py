"""What `evaluate` found: figures with intervals, trials, thresholds, a reference window."""

from functools import cached_property

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vultus.contracts.artifact import Artifact
from vultus.contracts.words import Verdict


class Figure(BaseModel):
    """One number of a report. Never printed without n and interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        description="standard's name in snake case: eer, fnmr_at_fmr_1e-3, apcer, bpcer"
    )
    value: float | None = Field(description="null where there was not a single trial")
    low: float | None = Field(default=None, description="95 % interval")
    high: float | None = None
    n: int = Field(ge=0, description="trials behind the value")
    slice: str = Field(default="all", description="all, or attribute=value, or species=print")
    method: str = Field(default="", description="how value and interval were computed")
    verdict: Verdict | None = None


FIGURES: TypeAdapter[list[Figure]] = TypeAdapter(list[Figure])

RECOGNITION_TRIALS = pa.schema(
    [
        pa.field("a", pa.string(), nullable=False),  # chip_sha256
        pa.field("b", pa.string(), nullable=False),
        pa.field("mated", pa.bool_(), nullable=False),
        pa.field("split", pa.string(), nullable=False),  # validation, test
        pa.field("slices", pa.list_(pa.string())),
    ]
)
RECOGNITION_SCORES = pa.schema([*RECOGNITION_TRIALS, pa.field("score", pa.float32())])

PAD_TRIALS = pa.schema(
    [
        pa.field("image", pa.string(), nullable=False),  # context_sha256
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),  # context_box
        pa.field("species", pa.string()),  # null = bona fide
        pa.field("split", pa.string(), nullable=False),
        pa.field("slices", pa.list_(pa.string())),
    ]
)
PAD_SCORES = pa.schema(
    [
        *PAD_TRIALS,
        pa.field("member", pa.string(), nullable=False),  # a member's name, or "panel"
        pa.field("pad_score", pa.float32()),
    ]
)

COMPARISON_COUNTS = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),  # of two people
        pa.field("count", pa.int64(), nullable=False),
    ]
)
"""counts.parquet: all non-mated comparisons, where scores.parquet lists a draw of them."""

SEARCHES = pa.schema(
    [
        pa.field("probe", pa.string(), nullable=False),  # chip_sha256
        pa.field("subject", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("gallery", pa.int32(), nullable=False),  # people enrolled, the mate among them
        pa.field("mate_rank", pa.int32(), nullable=False),  # from 1; a tie counts against the mate
        pa.field("mate_score", pa.float32(), nullable=False),
        pa.field("other_score", pa.float32(), nullable=False),  # the best of all others
    ]
)

SYSTEM_ATTEMPTS = pa.schema(
    [
        pa.field(
            "image", pa.string(), nullable=False
        ),  # as in PAD_TRIALS, the test split in its order
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),
        pa.field("species", pa.string()),  # null = bona fide
        pa.field("reference", pa.string()),  # chip_sha256; null = its person has no other picture
        pa.field("score", pa.float32()),  # against the reference
        pa.field("threshold", pa.float32(), nullable=False),  # of the recogniser
        pa.field("pad_accepted", pa.bool_(), nullable=False),  # by the panel
    ]
)

THRESHOLDS = pa.schema(
    [
        pa.field("score", pa.float32(), nullable=False),  # a threshold, in score units
        pa.field(
            "llr", pa.float32(), nullable=False
        ),  # calibrated log-likelihood ratio, natural log
        pa.field("fmr", pa.float64(), nullable=False),  # on validation, at score >= threshold
        pa.field("fmr_high", pa.float64(), nullable=False),  # upper end of its 95 % interval
    ]
)

LINEAGE = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),
        # First 64 bits of a sha256 each: enough to find the same thing again, too few to go back.
        pa.field("subject", pa.uint64(), nullable=False),  # of the pseudonym
        pa.field("image", pa.uint64(), nullable=False),
        pa.field("chip", pa.uint64(), nullable=False),
        pa.field("context", pa.uint64(), nullable=False),
        pa.field("phash", pa.uint64(), nullable=False),  # as in FaceCrops
        pa.field("simulated", pa.bool_(), nullable=False),
        pa.field("species", pa.string()),
        pa.field("captured_at", pa.timestamp("ms", tz="UTC")),
    ]
)
"""lineage.parquet: every face of the data version, so that a gate can see what a model was taught."""

CALIBRATION = pa.schema(
    [
        pa.field("picture", pa.string(), nullable=False),  # sha256 of the chip; PAD: of the context
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),  # of the face, in the context
    ]
)
"""calibration.parquet: a few pictures of the training split, for networks that need to see some."""


def short_digest(sha256: str) -> int:
    """First 64 bits of a hex sha256, as `LINEAGE` keeps them."""
    return int(sha256[:16], 16)


CONDITION_POINTS = pa.schema(
    [
        pa.field("condition", pa.string(), nullable=False),  # dark, mask, blur, yaw, ...
        pa.field("family", pa.string(), nullable=False),  # light ... coding: simulated; observed
        pa.field("label", pa.string(), nullable=False),  # the strength, or the bin, as text
        pa.field("strength", pa.float64()),  # in `unit`; null for a bin
        pa.field("unit", pa.string(), nullable=False),
        pa.field("figure", pa.string(), nullable=False),  # fnmr, fmr
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),  # 95 % interval
        pa.field("high", pa.float64()),
        pa.field("n", pa.int64(), nullable=False),
    ]
)


class EvaluationReport(Artifact):
    """`trials.parquet`, `scores.parquet`, `figures.json`, `thresholds.parquet`,
    `reference_features.parquet` (FEATURE_SCHEMA), `lineage.parquet`, `calibration.parquet`,
    `report.html`, `report.pdf`; for recognition `searches.parquet` (SEARCHES) and
    `conditions.parquet` (CONDITION_POINTS), empty where no sweep was asked for, and `counts.parquet`
    (COMPARISON_COUNTS) where `scores.parquet` lists a draw of the non-mated comparisons; for PAD
    `system.parquet` (SYSTEM_ATTEMPTS), where a recogniser was named.

    facts: `task`, `trials_sha256` (sha256 of trials.parquet), `checkpoint_digest`, `crops_digest`.
    For PAD `thresholds.parquet` describes the panel: llr of bona fide, `fmr` = APCER of the worst
    species.
    """

    SCHEMA = "EvaluationReport"

    @cached_property
    def figures(self) -> list[Figure]:
        """All figures of the test split, and the slices."""
        return FIGURES.validate_json((self.path / "figures.json").read_bytes())

    @cached_property
    def scores(self) -> pa.Table:
        """Raw scores, one row a trial (PAD: a trial and member)."""
        return self.table("scores.parquet")

    @cached_property
    def trials(self) -> pa.Table:
        """The trials alone; their sha256 says whether two reports can be compared."""
        return self.table("trials.parquet")

    def figure(self, name: str, slice_name: str = "all") -> Figure | None:
        """The figure of that name and slice, or None."""
        wanted = (name, slice_name)
        return next((f for f in self.figures if (f.name, f.slice) == wanted), None)
