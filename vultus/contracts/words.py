"""The closed vocabularies: ISO/IEC 30107-3, 19795-1 and 2382-37, and the product's own few."""

from enum import StrEnum


class Presentation(StrEnum):
    """What was held before the camera."""

    BONA_FIDE = "bona_fide"
    ATTACK = "attack"


class Species(StrEnum):
    """Presentation attack instrument (PAI) species."""

    PRINT = "print"
    REPLAY = "replay"
    MASK = "mask"


class Split(StrEnum):
    """Subject-disjoint share of a data version."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Task(StrEnum):
    """The two things that are learned; each is a pipeline and a registered model."""

    RECOGNITION = "recognition"
    LIVENESS = "liveness"


class Evidence(StrEnum):
    """What kind of attack presentations a PAD network has seen."""

    REAL = "real"
    SIMULATED = "simulated"


class MatchDecision(StrEnum):
    """Outcome of verify and identify."""

    MATCH = "match"
    NON_MATCH = "non_match"
    NOT_DECIDED = "not_decided"


class PadDecision(StrEnum):
    """Outcome of liveness."""

    BONA_FIDE = "bona_fide"
    ATTACK = "attack"
    NOT_DECIDED = "not_decided"


class Reason(StrEnum):
    """Why a decision is what it is; null where the score alone says it."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    LOW_QUALITY = "low_quality"
    ATTACK = "attack"
    PAD_UNAVAILABLE = "pad_unavailable"
    UNKNOWN_SUBJECT = "unknown_subject"
    TIMEOUT = "timeout"
    LOCKED = "locked"


class Verdict(StrEnum):
    """What a requirement comes to, once its interval and sample size are known."""

    PASS = "pass"
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not_enough_data"


class ContextKind(StrEnum):
    """Whether the picture leaves room around the face (see docs: PAD panel)."""

    FULL = "full"
    TIGHT = "tight"


RECOGNITION_MODEL = "vultus-recognition"
PAD_MODEL = "vultus-pad"
CHAMPION = "champion"
SHADOW = "shadow"
CANARY = "canary"
PREVIOUS = "previous"

WATCHED_QUALITY = (
    "sharpness",
    "under_exposure_prevention",
    "over_exposure_prevention",
    "dynamic_range",
    "inter_eye_distance",
    "head_pose",
    "unified",
)
"""Components of the feature log, for monitoring to watch: few, so that few tests can raise an alarm."""

QUALITY_COMPONENTS = (
    *WATCHED_QUALITY,
    "background_uniformity",
    "illumination_uniformity",
    "luminance_mean",
    "luminance_variance",
    "natural_colour",
    "single_face_present",
    "head_size",
    "leftward_crop_of_the_face_image",
    "rightward_crop_of_the_face_image",
    "margin_above_of_the_face_image",
    "margin_below_of_the_face_image",
    "head_pose_yaw",
    "head_pose_pitch",
    "head_pose_roll",
    "eyes_visible_hint",
    "mouth_occlusion_prevention_hint",
)
"""Columns `quality_<name>`, 0-100, named after ISO/IEC 29794-5; the ones computed without a net. Names
that end in `_hint` are our own and only hint at the component of that name."""
