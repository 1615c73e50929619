"""The model of an evaluation beside public ones, as a section of its report."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from components.evaluate.params import EvaluateParams
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Store
from vultus.errors import BadParameter, WeightsUnavailable
from vultus.reports import Block, Text

_EVERY = "all"
CANDIDATE = "this model"


def side_by_side(
    trained: Checkpoint, crops: pa.Table, params: EvaluateParams, store: Store, weights: Path | None
) -> list[Block]:
    """Nothing, unless `beside` names public models; with "all" those that can be had.

    Raises: BadParameter, for a name that is none, or without a weights folder; WeightsUnavailable.
    """
    if not params.beside:
        return []
    from components.evaluate import contenders
    from components.evaluate.contest import compare
    from components.evaluate.cost import processor
    from components.evaluate.report_contest import contest_blocks

    public = contenders.PUBLIC[trained.task]
    names = public if _EVERY in params.beside else params.beside
    strange = [name for name in names if name not in public]
    if strange or weights is None:
        raise BadParameter(
            f"evaluate.beside: {', '.join(strange) or 'no weights folder'}; of this task there are "
            f"{', '.join(public)}"
        )
    with TemporaryDirectory() as folder:
        place = Path(folder)
        own = contenders.trained(CANDIDATE, trained, place)
        others, missing = [], []
        for name in names:
            try:
                others.append(contenders.public(name, place, weights))
            except WeightsUnavailable as error:
                if name in params.beside:
                    raise
                missing.append(Text(f"Not compared: {name}: {error}", quiet=True))
        lines = compare([own, *others], crops, params, store, place)
    return [*contest_blocks(lines, processor()), *missing]
