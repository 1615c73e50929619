"""DeepFace's anti-spoofing (MiniFASNetV2 and V1SE) as one member of our PAD panel.

DeepFace fetches the two files by URL when it is first used; vultus takes them from its cache, or from
our weights folder, checks them, and makes one ONNX of them that any image can run without torch and
without DeepFace. Each network sees the square of 2.7 (4.0) times the longer box side, as in DeepFace.

`DeepFace.analyze(picture, actions=["spoof"])` was asked for; DeepFace has no such action. Today's call
is `DeepFace.extract_faces(picture, anti_spoofing=True)`, whose faces carry `is_real` and
`antispoof_score`. Here the same networks answer `vultus liveness picture` once
`vultus weights fetch deepface-fasnet` has brought them: no TensorFlow, no DeepFace, at any point.
"""

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from vultus.contracts.artifact import sha256_of
from vultus.contracts.transform import PanelMember, TensorParams
from vultus.contracts.words import Evidence
from vultus.errors import WeightsUnavailable

logger = logging.getLogger(__name__)

NAME = "deepface-fasnet"
SIDE, SCALES = 80, (2.7, 4.0)
"""Input in pixels; crop of the first and of the second network, times the longer box side."""
FILE = f"{NAME}.onnx"
PUBLISHED = {
    "2.7_80x80_MiniFASNetV2.pth": (
        "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0"
    ),
    "4_0_0_80x80_MiniFASNetV1SE.pth": (
        "84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990"
    ),
}
"""File -> sha256, first the network of scale 2.7, then that of 4.0."""
TRAINING_DATA = "attack presentations photographed by Minivision; the data set is not published"
LICENCE = "Apache-2.0"


def locate_fasnet(weights: Path, published: Mapping[str, str] = PUBLISHED) -> Path:
    """The pair as one ONNX file in the weights folder; converted now, if it is not there yet.

    Args:
        weights: the weights folder (`Home.weights`).
        published: the two files and the sha256 that each must have.
    Raises: WeightsUnavailable, saying which file is missing or changed and what to do.
    """
    known = converted_fasnet(weights, published)
    if known is not None:
        return known
    target = weights / FILE
    first, second = (_checked(name, digest, weights) for name, digest in published.items())
    from vultus.networks.pads.minifasnet import write_pair  # torch: only where there is work for it

    weights.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=weights, prefix=".fasnet-") as place:
        made = Path(place) / FILE
        write_pair(first, second, made)
        said = {"published": list(published.values()), "sha256": sha256_of(made)}
        made.replace(target)
        (Path(place) / "receipt").write_text(json.dumps(said))
        (Path(place) / "receipt").replace(_receipt(weights))
    logger.info("converted %s", NAME, extra={"bytes": target.stat().st_size})
    return target


def converted_fasnet(weights: Path, published: Mapping[str, str] = PUBLISHED) -> Path | None:
    """The ONNX file, if it is here, unchanged and made of those two files."""
    target = weights / FILE
    try:
        said = json.loads(_receipt(weights).read_text())
    except (OSError, json.JSONDecodeError):
        return None
    same = said.get("published") == list(published.values())
    return target if same and target.is_file() and sha256_of(target) == said["sha256"] else None


def fasnet_member(file: Path, place: str, *, room_min: float, threshold: float) -> PanelMember:
    """Its row of `transform.json`.

    Args:
        file: what `locate_fasnet` gave; place: where it will lie in the artifact.
        room_min: from this room on it speaks; threshold: on the mean probability of bona fide.
    """
    return PanelMember(
        name=NAME,
        file=place,
        sha256=sha256_of(file),
        tensor=TensorParams(side=SIDE, order="bgr"),
        scales=SCALES,
        room_min=room_min,
        room_max=1e9,
        evidence=Evidence.REAL,
        output="softmax1",
        threshold=threshold,
        training_data=TRAINING_DATA,
        licence=LICENCE,
    )


def _receipt(weights: Path) -> Path:
    return weights / f"{FILE}.json"


def _checked(name: str, digest: str, weights: Path) -> Path:
    """The published file, wherever it lies. Raises: WeightsUnavailable."""
    places = list(_places(weights))
    file = next((place / name for place in places if (place / name).is_file()), None)
    if file is None:
        raise WeightsUnavailable(
            f"{NAME}: {name} lies neither in {' nor in '.join(map(str, places))}; type `vultus weights "
            f"fetch {NAME}`, or let DeepFace fetch it once "
            "(DeepFace.extract_faces(picture, anti_spoofing=True))"
        )
    if (found := sha256_of(file)) != digest:
        raise WeightsUnavailable(
            f"{NAME}: {file} has sha256 {found}, expected {digest}; delete it and fetch it again"
        )
    return file


def _places(weights: Path) -> Iterator[Path]:
    """Our folder, then DeepFace's own cache: `DEEPFACE_HOME` is its variable, not ours."""
    yield weights
    yield Path(os.environ.get("DEEPFACE_HOME", Path.home())) / ".deepface" / "weights"
