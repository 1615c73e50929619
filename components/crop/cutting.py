"""One row of RawFaces -> one row of FaceCrops, or the reason why not. Runs in the workers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.arrays import RgbImage
from vultus.contracts.seams import Detections, Detector, Store
from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import QUALITY_COMPONENTS
from vultus.faces.alignment import align
from vultus.faces.cascade import detect_with_border
from vultus.faces.context import context_crop
from vultus.faces.picture import decode_image, encode_png, perceptual_hash
from vultus.faces.pose import pose_deg
from vultus.faces.quality import quality
from vultus.inference import mtcnn_detector


class CropParams(BaseModel):
    """What decides the result of `crop`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: DetectorParams = DetectorParams()
    chip_side: Literal[112] = Field(default=112, description="aligned chip, pixels")
    context_extent: float = Field(default=4.0, ge=1, description="times the longer box side")
    context_max_px: int = Field(default=384, ge=64)
    several_faces_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="refused where the second face's area exceeds this share of the first's: "
        "nobody knows which of them carries the label",
    )


@dataclass
class Cut:
    """A row of CROP_SCHEMA, or a row of QUARANTINE_SCHEMA."""

    row: dict[str, Any] | None = None
    refused: dict[str, str] | None = None


@dataclass
class Cutter:
    """Picklable; the nets are made once a process."""

    params: CropParams
    store: Store

    def __call__(self, face: dict[str, Any]) -> Cut:
        """Cut the labelled face of one picture. Raises: StorageUnavailable, BadArtifact."""
        image = decode_image(self.store.get(face["image_sha256"]))
        found = detect_with_border(self._detector, image)
        reason = self._refusal(found)
        if reason is not None:
            return Cut(
                refused={"origin": face["image_sha256"], "reason": reason[0], "detail": reason[1]}
            )
        return Cut(row={**face, **self._measure(image, found), "face_index": 0})

    def _refusal(self, found: Detections) -> tuple[str, str] | None:
        if len(found) == 0:
            return "no_face", "the detector found no face"
        if len(found) > 1:
            first, second = (_area(found, index) for index in (0, 1))
            if second > self.params.several_faces_ratio * first:
                return (
                    "several_faces",
                    f"{len(found)} faces, the second {second / first:.0%} as big",
                )
        return None

    def _measure(self, image: RgbImage, found: Detections) -> dict[str, Any]:
        box, landmarks = found.boxes[0], found.landmarks[0]
        chip = align(image, landmarks, self.params.chip_side)
        context = context_crop(
            image, box, extent=self.params.context_extent, max_px=self.params.context_max_px
        )
        yaw, pitch, roll = pose_deg(landmarks)
        measured = quality(image, box, landmarks)
        return {
            "phash": perceptual_hash(image),
            "box": box.tolist(),
            "landmarks": landmarks.reshape(-1).tolist(),
            "detection_score": float(found.scores[0]),
            "yaw_deg": yaw,
            "pitch_deg": pitch,
            "roll_deg": roll,
            **{f"quality_{name}": measured[name] for name in QUALITY_COMPONENTS},
            "chip_sha256": self.store.put(encode_png(chip)),
            "context_sha256": self.store.put(encode_png(context.image)),
            "context_box": context.box.tolist(),
            "context_kind": context.kind.value,
        }

    @cached_property
    def _detector(self) -> Detector:
        return mtcnn_detector(self.params.detector, threads=1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_detector"}


def _area(found: Detections, index: int) -> float:
    x1, y1, x2, y2 = found.boxes[index]
    return float((x2 - x1) * (y2 - y1))
