"""A home with promoted models that open in a blink: tiny ONNX networks, really signed, really followed.

The embedder sees a face as 8 x 8 mean colours; the PAD member calls redder-than-blue bona fide. So a
test can make an attack of any picture by swapping its red and blue.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from support.heads import rendered
from support.pictures import scene
from vultus.contracts.artifact import sha256_of
from vultus.contracts.evaluation import FIGURES, THRESHOLDS, Figure
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import (
    LivenessTransform,
    PanelMember,
    RecognitionTransform,
    TensorParams,
)
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, Evidence, Verdict
from vultus.faces.picture import encode_jpeg
from vultus.signing import ChampionPointer, load_or_create_key, sign_version

_PAD_SIDE = 32
_CELLS = 8
_DIMENSION = 128
ROOM_MIN = 1.15


def promote_drawn(home: Home, version: int = 1, *, seed: int = 0) -> None:
    """Sign and promote a pair of tiny models, as `vultus run` does with real ones."""
    key = load_or_create_key(home.keys / "signing.pem")
    for name, fill in ((RECOGNITION_MODEL, _recogniser), (PAD_MODEL, _panel)):
        promote_one(home, key, name, version, fill(seed))


def promote_recogniser(home: Home, version: int, *, key: Ed25519PrivateKey | None = None) -> None:
    """Another recogniser alone; `key`: of somebody who is not trusted."""
    signer = key or load_or_create_key(home.keys / "signing.pem")
    promote_one(home, signer, RECOGNITION_MODEL, version, _recogniser(version))


def promote_one(
    home: Home, key: Ed25519PrivateKey, name: str, version: int, files: dict[str, bytes]
) -> None:
    """Write one ModelVersion and point the champion to it."""

    def fill(folder: Path) -> None:
        for file, data in files.items():
            (folder / file).write_bytes(data)
        pq.write_table(_thresholds(), folder / "thresholds.parquet")
        figure = Figure(name="apcer", value=0.1, n=30, verdict=Verdict.NOT_ENOUGH_DATA)
        (folder / "figures.json").write_bytes(FIGURES.dump_json([figure]))
        sign_version(folder, key, name=name, data_sha256="0" * 64, git_commit="test", run_id="test")

    place = home.models / name / str(version)
    made = ModelVersion.create(place, fill, made_by="tests/support/served")
    ChampionPointer(name=name, version=version, path=place, digest=made.digest).write(home)


@dataclass(frozen=True)
class Pictures:
    """JPEG files: two of Ada, one of Bea, Ada in wrong colours, and a wall."""

    ada: bytes
    ada_again: bytes
    bea: bytes
    attack: bytes
    wall: bytes
    two_people: bytes


def pictures() -> Pictures:
    """Rendered people; skips the test where the head model cannot be had."""
    ada, again, bea = (rendered(*which).image for which in ((1, 0), (1, 1), (2, 0)))
    pair = np.concatenate([ada, ada], axis=1)
    return Pictures(
        *(encode_jpeg(image) for image in (ada, again, bea, ada[:, :, ::-1], scene(200, 200), pair))
    )


def _recogniser(seed: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(3 * _CELLS**2, _DIMENSION)).astype(np.float32)
    nodes = [
        helper.make_node(
            "AveragePool", ["data"], ["cells"], kernel_shape=[14, 14], strides=[14, 14]
        ),
        helper.make_node("Flatten", ["cells"], ["row"]),
        helper.make_node("ReduceMean", ["row"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["row", "mean"], ["centred"]),
        helper.make_node("MatMul", ["centred", "weights"], ["embedding"]),
    ]
    model = _model(nodes, ["N", 3, 112, 112], "data", ["N", _DIMENSION], "embedding", weights)
    transform = RecognitionTransform(dimension=_DIMENSION)
    return {"model.onnx": model, "transform.json": transform.model_dump_json().encode()}


def _panel(seed: int) -> dict[str, bytes]:
    weights = np.array([[40.0], [0.0], [-40.0]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["data"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["logit"]),
    ]
    shape: list[int | str] = ["N", 3, _PAD_SIDE, _PAD_SIDE]
    model = _model(nodes, shape, "data", ["N", 1], "logit", weights)
    member = PanelMember(
        name="drawn",
        file="drawn.onnx",
        sha256="",
        tensor=TensorParams(side=_PAD_SIDE, scale=1 / 255),
        scales=(1.0,),
        room_min=ROOM_MIN,
        room_max=1e9,
        evidence=Evidence.SIMULATED,
        output="logit",
        threshold=0.5,
        training_data=f"none, drawn with seed {seed}",
        licence="Apache-2.0",
    )
    return {
        "drawn.onnx": model,
        "transform.json": LivenessTransform(members=(member,)).model_dump_json().encode(),
    }


def _model(
    nodes: list[onnx.NodeProto],
    inlet: list[int | str],
    inlet_name: str,
    outlet: list[int | str],
    outlet_name: str,
    weights: np.ndarray,
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info(inlet_name, TensorProto.FLOAT, inlet)],
        [helper.make_tensor_value_info(outlet_name, TensorProto.FLOAT, outlet)],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    return bytes(model.SerializeToString())


def _thresholds() -> pa.Table:
    """FMR falls from 1 to 0 while the threshold rises from -1 to 1."""
    score = np.linspace(-1, 1, 201)
    share = (1 - score) / 2
    rows = {"score": score, "llr": 10 * score, "fmr": share**8, "fmr_high": share**8 + 1e-4}
    return pa.table(rows).cast(THRESHOLDS)


def tampered(home: Home, name: str, version: int) -> None:
    """Change one byte of a promoted network on disk."""
    file = next((home.models / name / str(version)).glob("*.onnx"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    before = sha256_of(file)
    file.write_bytes(bytes(data))
    assert sha256_of(file) != before
    assert json.loads((file.parent / "statement.json").read_text())["sha256"][file.name] == before
