"""A home with a promoted, signed pair of models, made in milliseconds.

The networks are real ONNX files and small enough to reckon by hand: the embedding is the chip's
colours averaged over 7 x 7 fields, centred and of unit length; the PAD logit is (mean of the crop's
pixels - 90) / 10, so that a bright picture is bona fide. What is around them is the product's own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from vultus.contracts.artifact import sha256_of, write_table
from vultus.contracts.evaluation import FIGURES, THRESHOLDS, Figure
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion, Parity
from vultus.contracts.transform import (
    DetectorParams,
    LivenessTransform,
    PanelMember,
    RecognitionTransform,
    TensorParams,
)
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, Evidence, Verdict
from vultus.signing import ChampionPointer, load_or_create_key, sign_version

DIMENSION = 3 * 7 * 7
BRIGHT = 90.0
THRESHOLD_ROWS = ((0.2, 0.1, 0.12), (0.6, 0.01, 0.02), (0.8, 0.001, 0.004), (0.9, 0.0, 0.003))
"""score, fmr, fmr_high."""


def promoted_home(
    root: Path, *, recognition: bool = True, pad: bool = True, verdict: Verdict | None = None
) -> Home:
    """Keys, signed versions 1 and their pointers below `root`."""
    home = Home(root)
    if recognition:
        _promote(home, RECOGNITION_MODEL, write_recogniser(root))
    if pad:
        _promote(home, PAD_MODEL, write_panel(root, verdict=verdict))
    return home


def write_recogniser(
    root: Path,
    number: int = 1,
    *,
    rows: Sequence[tuple[float, float, float]] = THRESHOLD_ROWS,
    detector: DetectorParams | None = None,
) -> Path:
    """A signed recogniser below `root`/models."""
    transform = RecognitionTransform(dimension=DIMENSION, detector=detector or DetectorParams())

    def fill(folder: Path) -> None:
        onnx.save(_embedder(), folder / "model.onnx")
        _common(folder, transform, [Figure(name="eer", value=0.01, n=100)], rows)

    return _version(root, RECOGNITION_MODEL, number, fill)


def write_panel(
    root: Path,
    number: int = 1,
    *,
    verdict: Verdict | None = None,
    room_min: float = 0.0,
    detector: DetectorParams | None = None,
) -> Path:
    """A signed panel of one member below `root`/models."""

    def fill(folder: Path) -> None:
        onnx.save(_brightness(), folder / "tiny.onnx")
        member = PanelMember(
            name="tiny",
            file="tiny.onnx",
            sha256=sha256_of(folder / "tiny.onnx"),
            tensor=TensorParams(side=32),
            scales=(2.7,),
            room_min=room_min,
            room_max=1e9,
            evidence=Evidence.SIMULATED,
            output="logit",
            threshold=0.5,
            training_data="none",
            licence="Apache-2.0",
        )
        transform = LivenessTransform(members=(member,), detector=detector or DetectorParams())
        figures = [
            Figure(name="pad_auc", value=0.9, n=100),
            Figure(name="apcer", value=0.1, n=100, verdict=verdict),
        ]
        _common(folder, transform, figures, THRESHOLD_ROWS)

    return _version(root, PAD_MODEL, number, fill)


def _promote(home: Home, name: str, folder: Path) -> None:
    ChampionPointer(
        name=name, version=int(folder.name), path=folder, digest=ModelVersion.open(folder).digest
    ).write(home)


def _version(root: Path, name: str, number: int, fill: object) -> Path:
    key = load_or_create_key(Home(root).keys / "signing.pem")

    def signed(folder: Path) -> None:
        fill(folder)  # type: ignore[operator]
        sign_version(folder, key, name=name, data_sha256="0" * 64, git_commit="test", run_id="test")

    path = Home(root).models / name / str(number)
    ModelVersion.create(path, signed, made_by="test")
    return path


def _common(
    folder: Path,
    transform: RecognitionTransform | LivenessTransform,
    figures: list[Figure],
    rows: Sequence[tuple[float, float, float]],
) -> None:
    (folder / "transform.json").write_text(transform.model_dump_json())
    parity = Parity(inputs=1, max_abs_difference=0.0, tolerance=1e-4)
    (folder / "parity.json").write_text(parity.model_dump_json())
    (folder / "figures.json").write_bytes(FIGURES.dump_json(figures))
    table = [{"score": s, "llr": 10 * s - 5, "fmr": f, "fmr_high": h} for s, f, h in rows]
    write_table(
        pa.Table.from_pylist(table, schema=THRESHOLDS), THRESHOLDS, folder / "thresholds.parquet"
    )


def _embedder() -> onnx.ModelProto:
    nodes = [
        helper.make_node("AveragePool", ["data"], ["pooled"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["flat", "mean"], ["centred"]),
        helper.make_node("LpNormalization", ["centred"], ["embedding"], axis=1, p=2),
    ]  # fmt: skip
    return _model(nodes, ["N", 3, 112, 112], ("embedding", ["N", DIMENSION]), [])


def _brightness() -> onnx.ModelProto:
    nodes = [
        helper.make_node("ReduceMean", ["data"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["mean", "bright"], ["above"]),
        helper.make_node("Div", ["above", "slope"], ["logit"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(BRIGHT, np.float32), "bright"),
        numpy_helper.from_array(np.array(10, np.float32), "slope"),
    ]
    return _model(nodes, ["N", 3, 32, 32], ("logit", ["N"]), constants)


def _model(
    nodes: list[onnx.NodeProto],
    shape: list[str | int],
    output: tuple[str, list[str | int]],
    constants: list[onnx.TensorProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    onnx.checker.check_model(model)
    return model
