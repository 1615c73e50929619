"""The one place that makes an ONNX Runtime session."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vultus.errors import WeightsUnavailable

if TYPE_CHECKING:
    from types import ModuleType

    from onnxruntime import InferenceSession


def session_of(model: Path | bytes, *, threads: int = 1) -> "InferenceSession":
    """A CPU session that does not spin while it waits.

    Args: model: a file or its bytes; threads: inside one operator.
    Raises: WeightsUnavailable, if the file is no model.
    """
    _silence()
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    source = str(model) if isinstance(model, Path) else model
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no root that it exports
        name = model.name if isinstance(model, Path) else "the model"
        raise WeightsUnavailable(f"{name} cannot be loaded: {error}") from error


def quantisation() -> "ModuleType":
    """ONNX Runtime's tool that makes int8 networks; it needs onnx too."""
    _silence()
    import onnxruntime.quantization as tool

    return cast("ModuleType", tool)


def _silence() -> None:
    """Since 1.32 the mere import writes a device id below ~/.cache and reports usage to its maker.

    A server that sees faces tells nobody; the variable counts only if it is set before the import.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
