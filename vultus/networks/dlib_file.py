"""The layers of a network that dlib has written, read as data: no dlib, no code of the file.

dlib's own serialisation (dlib/serialize.h and dlib/dnn, Boost licence, format as of dlib 19):
integers as a control byte (bits 0-3 the count of bytes that follow, bit 7 the sign) and little-endian
bytes; floats as mantissa and power of two; tensors as four sizes and raw little-endian float32.
A network lies on the tape from the loss inwards as mere version numbers, then from the input
outwards as layers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vultus.errors import BadArtifact

Array = NDArray[np.float32]

_TENSOR_VERSION, _ALIAS_VERSION = 2, 1
_TAG, _LAYER, _INNERMOST = 1, 2, 3
"""Version numbers on the way inwards: a tag or skip, a layer, the layer that holds the input."""
_WITHOUT_BIASES = 1
_NOT_FINITE = {32000: math.inf, 32001: -math.inf, 32002: math.nan}
"""dlib's exponents for what has no mantissa."""
_MOST_NUMBERS = 100_000_000
"""More numbers than any file here holds: a damaged size must not ask for all of the memory."""


@dataclass(frozen=True)
class DlibLayer:
    """One layer: its kind as the file calls it, its whole numbers, its parameters float32 [N]."""

    kind: str
    sizes: tuple[int, ...]
    params: Array


@dataclass(frozen=True)
class DlibNetwork:
    """mean: RGB; side: of the input, pixels; layers: from the input outwards."""

    mean: tuple[float, float, float]
    side: int
    layers: tuple[DlibLayer, ...]


class Tape:
    """Bytes, read once from front to back. Every method raises ValueError where they do not fit."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def whole(self) -> int:
        """An integer."""
        (control,) = self._take(1)
        size = control & 0x0F
        if control & 0x70 or size > 8:
            raise ValueError(f"byte {self._at - 1} opens no integer")
        value = int.from_bytes(self._take(size), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        """A float or double."""
        mantissa, exponent = self.whole(), self.whole()
        return _NOT_FINITE.get(exponent) or math.ldexp(mantissa, exponent)

    def flag(self) -> bool:
        """A bool."""
        said = bytes(self._take(1))
        if said not in (b"0", b"1"):
            raise ValueError(f"byte {self._at - 1} is no flag")
        return said == b"1"

    def text(self) -> str:
        """A string; kinds of layers are ASCII."""
        return bytes(self._take(self.whole())).decode("ascii")

    def tensor(self) -> Array:
        """float32 [samples, channels, rows, columns]."""
        self.version(_TENSOR_VERSION, "tensor")
        shape = [self.whole() for _ in range(4)]
        count = math.prod(shape)
        if min(shape) < 0 or count > _MOST_NUMBERS:
            raise ValueError(f"a tensor of {shape} before byte {self._at}")
        return np.frombuffer(self._take(4 * count), "<f4").reshape(shape).astype(np.float32)

    def alias(self) -> tuple[int, ...]:
        """The shape of a view into a layer's parameters."""
        self.version(_ALIAS_VERSION, "view")
        return tuple(self.whole() for _ in range(4))

    def version(self, expected: int, what: str) -> None:
        """Refuse what another dlib has written."""
        found = self.whole()
        if found != expected:
            raise ValueError(f"{what} of version {found} before byte {self._at}, not {expected}")

    def _take(self, size: int) -> memoryview:
        if not 0 <= size <= self.left:
            raise ValueError(f"byte {self._at} wants {size} more, {self.left} are left")
        self._at += size
        return self._data[self._at - size : self._at]


def read_dlib(file: Path) -> DlibNetwork:
    """The network of a metric-learning .dat file.

    Raises: BadArtifact, naming file and byte, for anything but the kinds of layers known here.
    """
    try:
        tape = Tape(file.read_bytes())
        network = _network(tape)
        if tape.left:
            raise ValueError(f"{tape.left} bytes follow the network")
    except (OSError, ValueError, OverflowError) as error:
        raise BadArtifact(f"{file} cannot be read as a dlib network: {error}") from error
    return network


def _network(tape: Tape) -> DlibNetwork:
    tape.version(1, "loss")
    _expect(tape, "loss_metric_2")
    tape.number(), tape.number()  # margin and distance threshold of the training
    layers = 0
    while (version := tape.whole()) != _INNERMOST:
        if version not in (_TAG, _LAYER):
            raise ValueError(f"a layer of version {version}")
        layers += version == _LAYER
    _expect(tape, "input_rgb_image_sized")
    mean = tape.number(), tape.number(), tape.number()
    side, columns = tape.whole(), tape.whole()
    if side != columns:
        raise ValueError(f"an input of {side} x {columns}, not a square")
    first = _layer(tape)
    tape.whole()  # how many samples the input makes of one
    return DlibNetwork(mean, side, (first, *(_layer(tape) for _ in range(layers))))


def _layer(tape: Tape) -> DlibLayer:
    """One layer and what training left behind it: three flags, two gradients, a cached output."""
    kind = tape.text()
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"'{kind}' is not a kind of layer known here")
    sizes, params = read(tape)
    for _ in range(3):
        tape.flag()
    for _ in range(3):
        tape.tensor()
    return DlibLayer(kind, sizes, params)


_Read = tuple[tuple[int, ...], Array]


def _convolution(tape: Tape) -> _Read:
    """Sizes: filters, rows, columns, stride y, x, padding y, x. Params: filters, then biases."""
    params = tape.tensor().ravel()
    sizes = tuple(tape.whole() for _ in range(7))
    views = tape.alias(), tape.alias()
    _skip_rates(tape)
    return _checked(params, sizes, *views)


def _affine(tape: Tape) -> _Read:
    """Params: gamma, then beta, one a channel."""
    params = tape.tensor().ravel()
    views = tape.alias(), tape.alias()
    return _checked(params, (tape.whole(),), *views)


def _dense(tape: Tape) -> _Read:
    """Sizes: outputs, inputs. Params: weights, [inputs, outputs]."""
    sizes = tape.whole(), tape.whole()
    params = tape.tensor().ravel()
    views = tape.alias(), tape.alias()
    if tape.whole() != _WITHOUT_BIASES:
        raise ValueError("the dense layer has biases")
    _skip_rates(tape)
    return _checked(params, sizes, *views)


def _pool(tape: Tape) -> _Read:
    """Sizes: rows, columns, stride y, x, padding y, x."""
    return tuple(tape.whole() for _ in range(6)), _NONE


def _plain(_: Tape) -> _Read:
    return (), _NONE


_NONE: Array = np.empty(0, np.float32)
_READERS: dict[str, Callable[[Tape], _Read]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "fc_2": _dense,
    "max_pool_2": _pool,
    "avg_pool_2": _pool,
    "relu_": _plain,
    "add_prev_": _plain,
}


def _checked(params: Array, sizes: tuple[int, ...], *views: tuple[int, ...]) -> _Read:
    viewed = sum(math.prod(view) for view in views)
    if viewed != len(params):
        raise ValueError(f"a layer has {len(params)} parameters, its views cover {viewed}")
    return sizes, params


def _skip_rates(tape: Tape) -> None:
    """Learning rate and weight decay of weights and biases."""
    for _ in range(4):
        tape.number()


def _expect(tape: Tape, word: str) -> None:
    if (found := tape.text()) != word:
        raise ValueError(f"'{found}' where '{word}' is expected")
