"""Small, real OnnxModels and EvaluationReports, so that register and promote run without a training.

The embedder averages a chip's colours and multiplies them by a matrix; scores of a report are drawn.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from support.pictured import PAD_BOX, Chip, judged, made_up_chips
from vultus.contracts.artifact import sha256_of, write_table
from vultus.contracts.evaluation import (
    FIGURES,
    LINEAGE,
    PAD_SCORES,
    PAD_TRIALS,
    RECOGNITION_SCORES,
    RECOGNITION_TRIALS,
    THRESHOLDS,
    EvaluationReport,
    Figure,
    short_digest,
)
from vultus.contracts.models import OnnxModel, Parity
from vultus.contracts.seams import Store
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.contracts.transform import (
    LivenessTransform,
    PanelMember,
    RecognitionTransform,
    TensorParams,
)
from vultus.contracts.words import Evidence, Species
from vultus.metrics import auc, calibrate, equal_error_rate

DIMENSION = 16
_POOLED = 3 * 7 * 7
_PAD_SIDE = 32


def recognition_model(
    folder: Path,
    *,
    checkpoint: str = "c" * 64,
    seed: int = 0,
    run_id: str = "",
    off: float = 0.0,
    sees: int = _POOLED,
) -> Path:
    """An OnnxModel; `off` is how far its parity says the export is from torch, `sees` how many of the
    147 averages it looks at."""
    transform = RecognitionTransform(dimension=DIMENSION)

    def fill(place: Path) -> None:
        _embedder(place / "model.onnx", seed, sees)
        (place / "transform.json").write_text(transform.model_dump_json())
        parity = Parity(inputs=4, max_abs_difference=off, min_cosine=1.0, tolerance=1e-4)
        (place / "parity.json").write_text(parity.model_dump_json())

    OnnxModel.create(folder, fill, made_by="test", facts=_lineage(checkpoint, run_id))
    return folder


def recognition_report(
    folder: Path,
    *,
    checkpoint: str = "c" * 64,
    chips: Sequence[Chip] | None = None,
    scores: np.ndarray | None = None,
    gap: float = 4.0,
    seed: int = 0,
    slices: Sequence[str] = (),
) -> Path:
    """An EvaluationReport over all pairs of `chips`, half of it validation, half test.

    Args: gap: distance of mated from non-mated scores, in standard deviations, where none are given;
        slices: one is given to each first subject in turn.
    """
    pairs = list(combinations(chips if chips is not None else made_up_chips(), 2))
    mated = np.array([a.subject == b.subject for a, b in pairs])
    if scores is None:
        scores = 0.1 * (np.random.default_rng(seed).normal(size=len(pairs)) + gap * mated)
    names = sorted({a.subject for a, _ in pairs})
    rows = [
        {
            "a": a.sha256,
            "b": b.sha256,
            "mated": bool(same),
            "split": split,
            "slices": [slices[names.index(a.subject) % len(slices)]] if slices else [],
            "score": float(score),
        }
        for split in ("validation", "test")
        for (a, b), same, score in zip(pairs, mated, scores, strict=True)
    ]
    scores = np.asarray(scores, np.float32)
    eer = equal_error_rate(scores, mated)
    figures = [Figure(name="eer", value=eer, low=0.0, high=min(1.0, eer + 0.1), n=len(pairs))]
    tables = (RECOGNITION_TRIALS, RECOGNITION_SCORES)
    return _report(folder, rows, tables, figures, checkpoint, "recognition")


def pad_model(
    folder: Path,
    members: Sequence[tuple[str, float, float, Evidence]],
    measure: str = "ReduceMean",
) -> Path:
    """An OnnxModel of a panel: (name, room_min, room_max, evidence) each; how they see brightness."""

    def fill(place: Path) -> None:
        made = []
        for name, room_min, room_max, evidence in members:
            file = place / f"{name}.onnx"
            _brightness(file, measure)
            made.append(
                PanelMember(
                    name=name,
                    file=file.name,
                    sha256=sha256_of(file),
                    tensor=TensorParams(side=_PAD_SIDE),
                    scales=(1.0,),
                    room_min=room_min,
                    room_max=room_max,
                    evidence=evidence,
                    output="logit",
                    threshold=0.5,
                    training_data="none: it measures brightness",
                    licence="Apache-2.0",
                )
            )
        transform = LivenessTransform(members=tuple(made))
        (place / "transform.json").write_text(transform.model_dump_json())
        parity = Parity(inputs=4, max_abs_difference=0.0, tolerance=1e-4)
        (place / "parity.json").write_text(parity.model_dump_json())

    OnnxModel.create(folder, fill, made_by="test", facts=_lineage("c" * 64, ""))
    return folder


def pad_report(
    folder: Path,
    *,
    gap: float = 3.0,
    auc_low: float = 0.9,
    bpcer: float = 0.05,
    seed: int = 0,
    panel: tuple[Path, Store] | None = None,
) -> Path:
    """An EvaluationReport on 60 bona fide and 60 attack presentations of each split.

    Args: gap: of the scores that are drawn; bpcer: as reported; panel: a model folder and a store
        instead: grey pictures are put there, bona fide brighter, and the panel says its own score of
        each.
    """
    rng = np.random.default_rng(seed)
    kinds = [None, *Species]
    rows = []
    for number in range(240):
        species = None if number % 120 < 60 else kinds[1 + number % 3]
        away = rng.normal() + gap * (species is None) - gap / 2
        image, score = f"{number:064x}", float(1 / (1 + np.exp(-away)))
        if panel is not None:
            image, score = judged(*panel, level=float(127.5 + 20 * away), number=number)
        rows.append(
            {
                "image": image,
                "box": PAD_BOX,
                "species": None if species is None else species.value,
                "split": "validation" if number < 120 else "test",
                "slices": [],
                "member": "panel",
                "pad_score": score,
            }
        )
    live = np.array([row["species"] is None for row in rows[120:]])
    value = auc(np.array([row["pad_score"] for row in rows[120:]], np.float32), live)
    figures = [
        Figure(name="pad_auc", value=value, low=auc_low, high=1.0, n=120),
        Figure(name="bpcer", value=bpcer, low=0.0, high=1.0, n=60),
    ]
    return _report(folder, rows, (PAD_TRIALS, PAD_SCORES), figures, "c" * 64, "liveness")


def _report(
    folder: Path,
    rows: list[dict[str, object]],
    schemas: tuple[pa.Schema, pa.Schema],
    figures: list[Figure],
    checkpoint: str,
    task: str,
) -> Path:
    trials, scores = schemas
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f"{folder.name}-trials.parquet")
    bare = [{name: row[name] for name in trials.names} for row in rows]
    write_table(pa.Table.from_pylist(bare, trials), trials, scratch)
    facts = {
        "task": task,
        "trials_sha256": sha256_of(scratch),
        "checkpoint_digest": checkpoint,
        "crops_digest": "d" * 64,
    }

    def fill(place: Path) -> None:
        scratch.rename(place / "trials.parquet")
        write_table(pa.Table.from_pylist(rows, scores), scores, place / "scores.parquet")
        (place / "figures.json").write_bytes(FIGURES.dump_json(figures))
        write_table(_thresholds(rows), THRESHOLDS, place / "thresholds.parquet")
        write_table(_lineage_of(rows), LINEAGE, place / "lineage.parquet")
        empty = pa.Table.from_pylist([], FEATURE_SCHEMA)
        write_table(empty, FEATURE_SCHEMA, place / "reference_features.parquet")
        (place / "report.html").write_text("<!doctype html><title>report</title>")

    EvaluationReport.create(folder, fill, made_by="test", facts=facts)
    return folder


def _thresholds(rows: list[dict[str, object]]) -> pa.Table:
    """One threshold, with the rate and the likelihood ratio that validation gives it."""
    kinds: dict[object, list[float]] = {}
    for row in [row for row in rows if row["split"] == "validation"]:
        kind = row["mated"] if "mated" in row else row["species"] or True
        kinds.setdefault(kind, []).append(float(row["score" if "score" in row else "pad_score"]))  # type: ignore[arg-type]
    positive = np.array(kinds.pop(True), np.float32)
    negative = [np.array(values, np.float32) for values in kinds.values()]
    score = np.float32(np.quantile(np.concatenate(negative), 0.99))
    rate = max(float((values >= score).mean()) for values in negative)
    llr = calibrate(positive, np.concatenate(negative)).llr(np.array([score]))[0]
    row = {"score": float(score), "llr": float(llr), "fmr": rate, "fmr_high": min(1, 2 * rate)}
    return pa.Table.from_pylist([row], THRESHOLDS)


def _lineage_of(rows: list[dict[str, object]]) -> pa.Table:
    """Every picture of a trial, and one that was trained on."""
    names = {str(row[side]) for row in rows for side in ("a", "b", "image") if side in row}
    found = [(name, "test") for name in sorted(names)] + [("7" * 64, "train")]
    return pa.Table.from_pylist(
        [
            {
                "split": split,
                "subject": place,
                **dict.fromkeys(("image", "chip", "context", "phash"), short_digest(name)),
                "simulated": False,
            }
            for place, (name, split) in enumerate(found)
        ],
        LINEAGE,
    )


def _lineage(checkpoint: str, run_id: str) -> dict[str, str]:
    return {"checkpoint_digest": checkpoint, "crops_digest": "d" * 64, "run_id": run_id}


def _embedder(file: Path, seed: int, sees: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(_POOLED, DIMENSION)).astype(np.float32)
    weights[sees:] = 0
    nodes = [
        helper.make_node("AveragePool", ["data"], ["p"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Sub", ["f", "middle"], ["z"]),
        helper.make_node("MatMul", ["z", "w"], ["m"]),
        helper.make_node("LpNormalization", ["m"], ["embedding"], axis=1, p=2),
    ]
    constants = {"w": weights, "middle": np.float32(127.5).reshape(1)}
    _save(file, nodes, constants, ["N", 3, 112, 112], ("embedding", ["N", DIMENSION]))


def _brightness(file: Path, measure: str) -> None:
    nodes = [
        helper.make_node(measure, ["data"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["mean", "middle"], ["z"]),
        helper.make_node("Mul", ["z", "slope"], ["logit"]),
    ]
    constants = {"middle": np.float32(127.5).reshape(1), "slope": np.float32(0.05).reshape(1)}
    _save(file, nodes, constants, ["N", 3, _PAD_SIDE, _PAD_SIDE], ("logit", ["N"]))


def _save(
    file: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    shape: list[int | str],
    outlet: tuple[str, list[int | str]],
) -> None:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(outlet[0], TensorProto.FLOAT, outlet[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)
