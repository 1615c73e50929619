"""Writes networks as dlib writes them: the other half of `vultus.networks.dlib_file`."""

import math
from collections.abc import Sequence

import numpy as np

from vultus.networks.dlib_file import DlibLayer, DlibNetwork


class Pen:
    """Bytes in dlib's serialisation, written front to back."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def data(self) -> bytes:
        """What was written so far."""
        return bytes(self._data)

    def whole(self, value: int) -> "Pen":
        """Control byte (count, sign), then little-endian bytes."""
        size = max(1, (abs(value).bit_length() + 7) // 8)
        self._data.append(size | (0x80 if value < 0 else 0))
        self._data += abs(value).to_bytes(size, "little")
        return self

    def number(self, value: float) -> "Pen":
        """Mantissa and power of two."""
        for exponent, special in ((32000, math.inf), (32001, -math.inf)):
            if value == special:
                return self.whole(0).whole(exponent)
        if math.isnan(value):
            return self.whole(0).whole(32002)
        fraction, exponent = math.frexp(value)
        return self.whole(int(math.ldexp(fraction, 53))).whole(exponent - 53)

    def flag(self, value: bool) -> "Pen":
        """The digit 1 or 0."""
        self._data += b"1" if value else b"0"
        return self

    def text(self, value: str) -> "Pen":
        """Length and characters."""
        self.whole(len(value))._data += value.encode()
        return self

    def tensor(self, values: Sequence[float] | np.ndarray) -> "Pen":
        """A column of float32."""
        array = np.asarray(values, "<f4").ravel()
        self.whole(2).whole(len(array))
        for _ in range(3):
            self.whole(1 if len(array) else 0)
        self._data += array.tobytes()
        return self

    def alias(self, count: int) -> "Pen":
        """A view of `count` numbers."""
        self.whole(1).whole(count)
        for _ in range(3):
            self.whole(1)
        return self


def write_dlib(network: DlibNetwork, *, loss: str = "loss_metric_2") -> bytes:
    """The bytes of a metric-learning network, as a trainer of dlib 19 leaves them."""
    pen = Pen().whole(1).text(loss).number(0.04).number(0.6)
    for layer in network.layers[:0:-1]:
        if layer.kind == "add_prev_":
            pen.whole(1)
        pen.whole(2)
    pen.whole(3).text("input_rgb_image_sized")
    for channel in network.mean:
        pen.number(channel)
    pen.whole(network.side).whole(network.side)
    for number, layer in enumerate(network.layers):
        _write_layer(pen, layer)
        for flag in (True, True, False):
            pen.flag(flag)
        for _ in range(3):
            pen.tensor([])
        if number == 0:
            pen.whole(1)
    return pen.data


def _write_layer(pen: Pen, layer: DlibLayer) -> None:
    pen.text(layer.kind)
    size = len(layer.params)
    if layer.kind == "con_4":
        pen.tensor(layer.params)
        for value in layer.sizes:
            pen.whole(value)
        pen.alias(size - layer.sizes[0]).alias(layer.sizes[0])
    elif layer.kind == "affine_":
        pen.tensor(layer.params).alias(size // 2).alias(size // 2).whole(*layer.sizes)
    else:
        for value in layer.sizes:
            pen.whole(value)
    if layer.kind == "fc_2":
        pen.tensor(layer.params).alias(size).alias(0).whole(1)
    if layer.kind in ("con_4", "fc_2"):
        for rate in (1.0, 1.0, 1.0, 0.0):
            pen.number(rate)
