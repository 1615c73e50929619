"""The embedders that are trained whole, by name: how each is built, and what it is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import signature

from vultus.contracts.transform import (
    ChipWindow,
    DetectorParams,
    RecognitionTransform,
    TensorParams,
)
from vultus.errors import BadParameter
from vultus.faces.alignment import TEMPLATE_SIDE
from vultus.networks.embedders import edge, facenet, ir, mobilefacenet, vggface
from vultus.networks.embedders.embedder import Embedder

Option = int | float | str | bool
_WHOLE_CHIP = ChipWindow(left=0.0, top=0.0, side=float(TEMPLATE_SIDE))


@dataclass(frozen=True)
class Whole:
    """One architecture.

    build: called with `dimension`, `side` and further options of its own; side: its input, pixels;
    another side than the chip's is made by stretching the chip, which adds no detail.
    """

    build: Callable[..., Embedder]
    side: int
    dimension: int

    def transform(
        self, dimension: int, side: int, detector: DetectorParams
    ) -> RecognitionTransform:
        """What lies between a picture and this network."""
        return RecognitionTransform(
            detector=detector,
            window=None if side == TEMPLATE_SIDE else _WHOLE_CHIP,
            tensor=TensorParams(side=side),
            dimension=dimension,
        )


EMBEDDERS: Mapping[str, Whole] = {
    "facenet": Whole(facenet.FaceNet, facenet.SIDE, facenet.DIMENSION),
    "vggface": Whole(vggface.VggFace, vggface.SIDE, vggface.DIMENSION),
    "ir18": Whole(partial(ir.Ir, 18), ir.SIDE, ir.DIMENSION),
    "ir50": Whole(partial(ir.Ir, 50), ir.SIDE, ir.DIMENSION),
    "mobilefacenet": Whole(
        mobilefacenet.MobileFaceNet, mobilefacenet.SIDE, mobilefacenet.DIMENSION
    ),
    "edge": Whole(edge.Edge, edge.SIDE, edge.DIMENSION),
}


def build_embedder(name: str, options: Mapping[str, Option]) -> Embedder:
    """The network of that name, with first weights.

    Raises: BadParameter, for an option that it lacks.
    """
    known = signature(EMBEDDERS[name].build).parameters
    strange = [option for option in options if option not in known]
    if strange:
        raise BadParameter(f"{name} has no option {', '.join(strange)}; it has {', '.join(known)}")
    return EMBEDDERS[name].build(**options)
