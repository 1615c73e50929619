"""A picture -> what is cut out of it and measured on it, or the reason why not. Runs in the workers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.arrays import RgbImage
from vultus.contracts.seams import Detections, Detector, Store
from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import QUALITY_COMPONENTS
from vultus.errors import BadImage, DegenerateLandmarks
from vultus.faces.alignment import align
from vultus.faces.cascade import detect_with_border
from vultus.faces.context import context_crop
from vultus.faces.picture import decode_reduced, encode_png, perceptual_hash
from vultus.faces.pose import pose_deg
from vultus.faces.quality import quality
from vultus.faces.skin import ita_deg
from vultus.inference import mtcnn_detector


class CropParams(BaseModel):
    """What decides the result of `crop`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: DetectorParams = DetectorParams()
    chip_side: Literal[112] = Field(default=112, description="aligned chip, pixels")
    context_extent: float = Field(default=4.0, ge=1, description="times the longer box side")
    context_max_px: int = Field(default=384, ge=64)
    reduced_side_px: int = Field(
        default=2000,
        ge=0,
        description="a JPEG is unpacked at 1/2, 1/4 or 1/8 while its longer side stays this long; "
        "0: never. min_face_px is then of the reduced picture, and a face too small there for a "
        "context of full sharpness is refused, because PAD lives from what is lost first",
    )
    several_faces_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="refused where the second face's area exceeds this share of the first's: "
        "nobody knows which of them carries the label",
    )
    near_duplicate_bits: int = Field(
        default=3,
        ge=0,
        le=8,
        description="perceptual hashes this near are one picture: never in two splits",
    )
    same_picture_bits: int = Field(
        default=1, ge=0, le=8, description="this near under two subjects: refused under both"
    )


@dataclass
class Cutter:
    """Picklable; the nets are made once a process."""

    params: CropParams
    store: Store

    def __call__(self, pictures: list[str]) -> list[dict[str, Any]]:
        """Cut the labelled face of each picture; their crops go to the store together.

        Args: pictures: hex sha256 of each.
        Returns: for each its `image_sha256`, and what was measured or `reason` and `detail`.
        Raises: StorageUnavailable; BadArtifact, if a picture is gone from the store or was changed.
        """
        cuts, pieces = list[dict[str, Any]](), list[bytes]()
        for picture in pictures:
            named = {"image_sha256": picture}
            try:
                row, chip, context = self._cut(self.store.get(picture))
            except _Refused as why:
                cuts.append({**named, "reason": why.reason, "detail": why.detail})
                continue
            cuts.append({**named, **row})
            pieces += chip, context
        digests = iter(self.store.put_many(pieces))
        for cut in cuts:
            if "reason" not in cut:
                cut |= {"chip_sha256": next(digests), "context_sha256": next(digests)}
        return cuts

    def _cut(self, data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
        """Columns of the row, chip and context as PNG, all from one unpacking. Raises: _Refused."""
        try:
            image, factor = decode_reduced(data, self.params.reduced_side_px)
        except BadImage as error:
            raise _Refused("bad_image", str(error)) from error
        found = detect_with_border(self._detector, image)
        self._check(found, factor)
        try:
            return self._measure(image, found, factor)
        except DegenerateLandmarks as error:
            raise _Refused("no_face", str(error)) from error

    def _check(self, found: Detections, factor: int) -> None:
        if len(found) == 0:
            raise _Refused("no_face", "the detector found no face")
        if len(found) > 1:
            first, second = (_area(found, index) for index in (0, 1))
            if second > self.params.several_faces_ratio * first:
                share = f"{second / first:.0%}"
                raise _Refused("several_faces", f"{len(found)} faces, the second {share} as big")
        side = float((found.boxes[0, 2:] - found.boxes[0, :2]).max())
        least = self.params.context_max_px / self.params.context_extent
        if factor > 1 and side < least:
            raise _Refused(
                "small_face",
                f"{side:.0f} px in the picture at 1/{factor}, {least:.0f} are needed there; "
                "reduced_side_px=0 unpacks every picture in full",
            )

    def _measure(
        self, image: RgbImage, found: Detections, factor: int
    ) -> tuple[dict[str, Any], bytes, bytes]:
        box, landmarks = found.boxes[0], found.landmarks[0]
        chip = align(image, landmarks, self.params.chip_side)
        context = context_crop(
            image, box, extent=self.params.context_extent, max_px=self.params.context_max_px
        )
        yaw, pitch, roll = pose_deg(landmarks)
        measured = quality(image, box, landmarks, found.boxes[1:])
        row = {
            "phash": perceptual_hash(image),
            "box": (box * factor).tolist(),
            "landmarks": (landmarks * factor).reshape(-1).tolist(),
            "detection_score": float(found.scores[0]),
            "yaw_deg": yaw,
            "pitch_deg": pitch,
            "roll_deg": roll,
            **{f"quality_{name}": measured[name] for name in QUALITY_COMPONENTS},
            "ita_deg": ita_deg(chip),
            "context_box": context.box.tolist(),
            "context_kind": context.kind.value,
        }
        # Lossless: a second JPEG would leave a trace that PAD might learn.
        return row, encode_png(chip), encode_png(context.image)

    @cached_property
    def _detector(self) -> Detector:
        return mtcnn_detector(self.params.detector, threads=1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_detector"}


class _Refused(Exception):
    """Why one picture goes to quarantine."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def _area(found: Detections, index: int) -> float:
    x1, y1, x2, y2 = found.boxes[index]
    return float((x2 - x1) * (y2 - y1))
