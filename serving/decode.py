"""Bytes of a request -> RGB image: V1 base64, V2 BYTES, multipart. BGR and files never come further."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from serving.problems import Refusal
from vultus.contracts.arrays import RgbImage
from vultus.faces.header import read_header
from vultus.faces.picture import decode_image

_MANY_INSTANCES = 32
_MULTIPART_OVERHEAD_BYTES = 64_000
_IMAGES_A_REQUEST = 2


@dataclass(frozen=True)
class Limits:
    """What is taken at most."""

    image_bytes: int = 20_000_000
    image_pixels: int = 40_000_000

    @property
    def body_bytes(self) -> int:
        """Two images in base64, and what stands around them."""
        return _IMAGES_A_REQUEST * self.image_bytes * 4 // 3 + _MULTIPART_OVERHEAD_BYTES


def rgb_of(data: bytes, limits: Limits) -> RgbImage:
    """Decode one picture.

    Returns: RGB uint8 [H, W, 3].
    Raises: Refusal 413, if it is too large; BadImage (422), if it is no picture or damaged.
    """
    if len(data) > limits.image_bytes:
        raise Refusal(
            413, f"the image has {len(data)} bytes, at most {limits.image_bytes} are taken"
        )
    header = read_header(data)
    if header is not None and header.width * header.height > limits.image_pixels:
        raise Refusal(
            413,
            f"the image says {header.width} x {header.height} pixels, at most "
            f"{limits.image_pixels} are taken",
        )
    return decode_image(data, max_bytes=limits.image_bytes, max_pixels=limits.image_pixels)


async def form_of(request: Request, limits: Limits) -> FormData:
    """The parts of a multipart request; pictures stay in memory, none is ever written to disk.

    Raises: Refusal 415, for another content type; 400, for a broken body.
    """
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise Refusal(415, f"send multipart/form-data, not '{kind or 'no content type'}'")
    parser = MultiPartParser(request.headers, request.stream(), max_files=4, max_fields=16)
    parser.spool_max_size = limits.body_bytes + 1
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the multipart body cannot be read: {error}") from error


async def file_of(form: FormData, name: str) -> bytes:
    """The bytes of one uploaded file. Raises: Refusal 400, where it is missing."""
    part = form.get(name)
    if not isinstance(part, UploadFile):
        sent = ", ".join(sorted(form)) or "nothing"
        raise Refusal(400, f"the file part '{name}' is missing (sent: {sent})")
    return await part.read()


def share_of(value: object, name: str = "fmr") -> float | None:
    """A number between 0 and 1, or None where there is none. Raises: Refusal 400."""
    if value is None or value == "":
        return None
    try:
        share = float(str(value))
    except ValueError as error:
        raise Refusal(400, f"{name} = '{value}' is no number") from error
    if not 0 < share < 1:
        raise Refusal(400, f"{name} = {share}: give a share between 0 and 1, such as 0.001")
    return share


def instances_of(payload: object, names: tuple[str, ...]) -> list[tuple[bytes, ...]]:
    """V1: {"instances": [{"reference": {"b64": …}, …}]} -> the bytes of each instance, in order.

    Raises: Refusal 400, naming the instance and the key.
    """
    instances = payload.get("instances") if isinstance(payload, Mapping) else None
    if not isinstance(instances, list) or not instances:
        example = ", ".join(f'"{name}": {{"b64": "…"}}' for name in names)
        raise Refusal(400, f'send {{"instances": [{{{example}}}]}}')
    _check_count(len(instances))
    return [
        tuple(_v1_bytes(instance, name, number) for name in names)
        for number, instance in enumerate(instances)
    ]


def tensors_of(inputs: Mapping[str, Any], names: tuple[str, ...]) -> list[tuple[bytes, ...]]:
    """V2: BYTES tensors of shape [N] with base64 text -> the bytes of each instance, in order.

    Args: inputs: tensor name -> kserve's InferInput.
    Raises: Refusal 400, naming the tensor.
    """
    columns = []
    for name in names:
        tensor = inputs.get(name)
        if tensor is None:
            raise Refusal(400, f"the input tensor '{name}' is missing (sent: {sorted(inputs)})")
        values = tensor.data
        if tensor.datatype != "BYTES" or list(tensor.shape) != [len(values)] or not values:
            raise Refusal(400, f"the tensor '{name}' must be BYTES of shape [N] with N values")
        _check_count(len(values))
        columns.append([_base64(value, f"{name}[{i}]") for i, value in enumerate(values)])
    if len({len(column) for column in columns}) != 1:
        raise Refusal(400, f"the tensors {', '.join(names)} must have the same length")
    return list(zip(*columns, strict=True))


def _v1_bytes(instance: object, name: str, number: int) -> bytes:
    place = f"instances[{number}].{name}"
    part = instance.get(name) if isinstance(instance, Mapping) else None
    text = part.get("b64") if isinstance(part, Mapping) else None
    if text is None:
        raise Refusal(400, f'{place} is missing; send {{"b64": "<base64 of the image file>"}}')
    return _base64(text, place)


def _base64(text: object, place: str) -> bytes:
    if not isinstance(text, str | bytes):
        raise Refusal(400, f"{place} must be base64 text")
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, f"{place} is not valid base64: {error}") from error


def _check_count(count: int) -> None:
    if count > _MANY_INSTANCES:
        raise Refusal(413, f"{count} instances in one request, at most {_MANY_INSTANCES} are taken")
