"""The int8 form of an exported network: kept where it is near enough, else said why not."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from components.export.params import ExportParams
from vultus.contracts.arrays import Tensor
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.seams import Store
from vultus.contracts.transform import PanelMember, RecognitionTransform
from vultus.errors import NoTrials, VultusError
from vultus.inference.inputs import chip_inputs, crop_inputs
from vultus.inference.int8 import int8_file, outputs_of, quantise
from vultus.inference.panel import bona_fide


def calibration_inputs(
    report: EvaluationReport, store: Store, of: RecognitionTransform | PanelMember
) -> Tensor:
    """Pictures of the training split as the network is fed.

    Raises: NoTrials, where the evaluation named none.
    """
    if "calibration.parquet" not in report.manifest.sha256:
        raise NoTrials("the evaluation names no pictures to calibrate on; evaluate again")
    rows: pa.Table = report.table("calibration.parquet")
    names = rows["picture"].to_pylist()
    if not names:
        raise NoTrials("the train split holds no picture to calibrate on")
    if isinstance(of, RecognitionTransform):
        return chip_inputs(names, store, of)
    return crop_inputs(names, rows["box"].to_pylist(), store, of)


def add_int8(
    file: Path,
    inputs: Tensor,
    report: EvaluationReport,
    store: Store,
    of: RecognitionTransform | PanelMember,
    params: ExportParams,
) -> tuple[str, dict[str, float]]:
    """Write the int8 form beside `file`, if it can be had and says nearly the same.

    Args: inputs: evaluated pictures that the two are compared on, as the network is fed.
    Returns: what became of it, in a sentence; fields of Parity, empty where none was kept.
    """
    target = int8_file(file)
    try:
        quantise(file, target, calibration_inputs(report, store, of))
    except (NoTrials, VultusError) as error:
        return f"{file.name}: no int8: {error}", {}
    full, small = outputs_of(file, inputs), outputs_of(target, inputs)
    if isinstance(of, RecognitionTransform):
        near = float(np.einsum("nd,nd->n", _unit(full), _unit(small)).min())
        kept, said = near >= params.int8_min_cosine, f"cosine to float32 at least {near:.4f}"
        limit, fields = f"{params.int8_min_cosine:g}", {"int8_min_cosine": near}
    else:
        apart = np.abs(bona_fide(full, of.output) - bona_fide(small, of.output))
        far = float(apart.max())
        kept, said = far <= params.int8_max_difference, f"scores at most {far:.4f} from float32"
        limit, fields = f"{params.int8_max_difference:g}", {}
    fields["int8_max_abs_difference"] = float(np.abs(full - small).max())
    count = f"{said} on {len(inputs)} evaluated pictures"
    if kept:
        return f"{target.name}: {count}", fields
    target.unlink()
    return f"{file.name}: no int8: {count}, allowed is {limit}", {}


def _unit(vectors: Tensor) -> Tensor:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
