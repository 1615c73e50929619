"""What decides the result of `ingest`, and what it reports."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class IngestParams(BaseModel):
    """Part of the run; logged with every model trained on its output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        description="synthetic:…, a folder or list file, s3://…, kaggle:owner/name, or a PAD set: pad:, "
        "replay-attack:, oulu-npu:, celeba-spoof:"
    )
    seed: int = Field(default=0, description="of renders and simulated presentations")
    split_seed: int = Field(default=0, description="hashed with the subject's name into a split")
    validation_share: float = Field(default=0.25, ge=0, lt=1)
    test_share: float = Field(default=0.25, ge=0, lt=1)
    splits_from: str | None = Field(
        default=None,
        description="`splits_sha256` of an earlier data version: its subjects keep their split",
    )
    stratify_by: tuple[str, ...] = Field(
        default=("sex", "ancestry"), description="attributes that new subjects are balanced over"
    )
    print_share: float = Field(default=0.5, ge=0, le=1, description="simulated prints per image")
    replay_share: float = Field(default=0.8, ge=0, le=1, description="simulated replays per image")
    mask_share: float = Field(default=0.2, ge=0, le=1, description="simulated masks per image")
    recapture_share: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="bona fide images that also go through the attacks' camera, without a medium",
    )
    tight_share: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="of all presentations, both classes alike: cut down to the face",
    )
    min_images_per_subject: int = Field(default=2, ge=1)
    max_image_bytes: int = Field(default=20_000_000, ge=1)
    max_image_pixels: int = Field(default=40_000_000, ge=1)

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> "IngestParams":
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share + test_share must stay below 1")
        return self

    @property
    def simulates(self) -> bool:
        """Whether any presentation is simulated."""
        shares = self.print_share, self.replay_share, self.mask_share, self.recapture_share
        return self.tight_share > 0 or any(shares)

    def deciding_rows(self) -> set[str]:
        """The fields that decide what becomes of one picture; the rest decide over the table."""
        return set(type(self).model_fields) - {
            "split_seed",
            "validation_share",
            "test_share",
            "splits_from",
            "stratify_by",
            "min_images_per_subject",
        }


class IngestReport(BaseModel):
    """What came in and what did not."""

    model_config = ConfigDict(frozen=True)

    images: int
    subjects: int
    attacks: int
    read: int = Field(description="pictures offered that were read now")
    known: int = Field(description="pictures offered that were known from before, and not read")
    quarantined: dict[str, int] = Field(description="reason -> images")
    seconds: float
    digest: str = Field(description="names the data version")

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.quarantined.items()))
        return {
            "images": self.images,
            "subjects": self.subjects,
            "attacks": self.attacks,
            "read": self.read,
            "known": self.known,
            "quarantined": refused or "none",
            "seconds": round(self.seconds, 1),
            "digest": self.digest,
        }
