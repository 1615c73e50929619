"""What the training saw and what it did not, apart: left-out PAI species and sources."""

from collections.abc import Iterator, Mapping

import numpy as np

from components.evaluate.panel_figures import Flags, Judge
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import PANEL, Presentations
from components.evaluate.wording import slice_table
from vultus.contracts.evaluation import Figure
from vultus.contracts.models import Checkpoint
from vultus.dataset.leftout import LeftOut
from vultus.reports import Block, Heading, Text

_MARK = "seen="


def left_out_of(checkpoint: Checkpoint) -> LeftOut:
    """What that training was told to leave out."""
    params: Mapping[str, list[str]] = checkpoint.manifest.facts.get("params", {})
    return LeftOut.parse(params.get("leave_out", []))


def unseen_figures(test: Presentations, judge: Judge, left_out: LeftOut) -> list[Figure]:
    """AUC, APCER and BPCER of what was seen and of each left-out species and source.

    An unseen species stands against bona fide of seen sources, an unseen source for itself. Only our
    own member was trained without them: it is judged alone too, on every picture.
    """
    from vultus.networks.load import OWN_MEMBER  # brings torch along

    figures = []
    for name, part in _parts(test, left_out):
        if part.any():
            for member in (PANEL, OWN_MEMBER):
                figures += judge.of_part(member, part, f"{_MARK}{name},{member}")
    return figures


def is_unseen_figure(figure: Figure) -> bool:
    """Whether it belongs to this table and no other."""
    return figure.slice.startswith(_MARK)


def unseen_blocks(
    figures: list[Figure], left_out: LeftOut, params: EvaluateParams
) -> Iterator[Block]:
    """The table; nothing where nothing was left out."""
    own = [figure for figure in figures if is_unseen_figure(figure)]
    if not own:
        return
    yield Heading("Seen and unseen in training")
    yield Text(
        f"Our own member was trained, and its threshold set, without {left_out}. A network trained "
        "elsewhere is not bound by that.",
        quiet=True,
    )
    columns = (("pad_auc", "AUC"), ("apcer", "APCER (worst)"), ("bpcer", "BPCER"))
    yield slice_table(own, columns, params.min_slice)


def _parts(test: Presentations, left_out: LeftOut) -> Iterator[tuple[str, Flags]]:
    """Name and members of each part; nothing without a left-out one."""
    if not left_out:
        return
    sources = np.array([row["source"] for row in test.rows], np.str_)
    foreign = np.isin(sources, sorted(left_out.sources))
    unknown = np.isin(test.species, sorted(left_out.species))
    yield "yes", ~foreign & ~unknown
    for species in sorted(left_out.species):
        own = test.species == species
        if own.any():
            yield f"no,species={species}", ~foreign & (test.bona_fide | own)
    for source in sorted(left_out.sources):
        yield f"no,source={source}", sources == source
