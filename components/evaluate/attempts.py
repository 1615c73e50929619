"""The whole system: every presentation of the test split as one attempt on PAD and recogniser together.

IAPAR counts attack presentations of a person that both let through, against that person's reference;
RIAPAR adds the bona fide attempts that either refuses. Source: ISO/IEC 30107-3:2023, 13.4.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluate.figures import Codes, codes_of, rate_figure
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import Row, batches, rows_of
from components.evaluate.presentations import Presentations
from vultus.contracts.arrays import Embeddings
from vultus.contracts.evaluation import SYSTEM_ATTEMPTS, Figure
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.transform import RecognitionTransform
from vultus.contracts.words import Presentation
from vultus.errors import BadParameter
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.thresholds import Thresholds
from vultus.metrics import riapar

Flags = NDArray[np.bool_]
VersionOf = Callable[[str], ModelVersion]


@dataclass(frozen=True)
class Recogniser:
    """A registered recogniser at its own threshold for the shared FMR."""

    name: str
    encoder: Encoder
    threshold: float

    @classmethod
    def of(cls, name: str, version: ModelVersion, fmr: float) -> Self:
        """From its ONNX file and threshold table. Raises: BadParameter, for a model of another task."""
        transform = version.transform
        if not isinstance(transform, RecognitionTransform):
            raise BadParameter(f"evaluate.recogniser: {name} compares nobody; name a recogniser")
        encoder = OnnxEncoder(version.path / "model.onnx", transform)
        return cls(name, encoder, Thresholds.read(version).at(fmr))


def recogniser_of(params: EvaluateParams, version_of: VersionOf | None) -> Recogniser | None:
    """Before anything is computed. Raises: BadParameter, BadArtifact."""
    if params.recogniser is None:
        return None
    if version_of is None:
        raise BadParameter("evaluate.recogniser is named, and there is no registry to open it from")
    return Recogniser.of(params.recogniser, version_of(params.recogniser), params.fmr)


@dataclass(frozen=True)
class Attempts:
    """table: rows of SYSTEM_ATTEMPTS in the order of the panel's test rows; figures of them."""

    recogniser: str
    threshold: float
    table: pa.Table
    figures: list[Figure]

    @classmethod
    def of(
        cls,
        crops: pa.Table,
        test: Presentations,
        accepted: Flags,
        recogniser: Recogniser,
        params: EvaluateParams,
        store: Store,
    ) -> Self:
        """Compare each presentation with one untouched picture of its person.

        Args: crops: FaceCrops rows, of which references are taken; accepted bool [N]: by the panel.
        """
        references = _references(rows_of(crops, test.split), test.rows)
        scores = _scores(test.rows, references, recogniser.encoder, store)
        columns = {
            "image": [row["context_sha256"] for row in test.rows],
            "box": [row["context_box"] for row in test.rows],
            "species": [row["species"] for row in test.rows],
            "reference": references,
            "score": pa.array(scores, pa.float32(), from_pandas=True),
            "threshold": [recogniser.threshold] * len(references),
            "pad_accepted": accepted,
        }
        matched = np.nan_to_num(scores, nan=-np.inf) >= np.float32(recogniser.threshold)
        figures = _figures(test, accepted, matched, np.isfinite(scores), params)
        table = pa.table(columns, schema=SYSTEM_ATTEMPTS)
        return cls(recogniser.name, recogniser.threshold, table, figures)


def _references(known: Sequence[Row], rows: Sequence[Row]) -> list[str | None]:
    """For each row the chip of an untouched picture of the same person; None where there is none.

    Never the picture itself nor the one that a simulation was made of; in turn, where there are more.
    """
    own: dict[str, list[Row]] = {}
    for row in known:
        if row["presentation"] == Presentation.BONA_FIDE.value and not row["simulated"]:
            own.setdefault(row["subject"], []).append(row)
    found: list[str | None] = []
    for place, row in enumerate(rows):
        made_of = json.loads(row["simulation"] or "{}").get("of")
        left = [
            other["chip_sha256"]
            for other in own.get(row["subject"], [])
            if other["image_sha256"] not in (row["image_sha256"], made_of)
            and other["chip_sha256"] != row["chip_sha256"]
        ]
        found.append(left[place % len(left)] if left else None)
    return found


def _scores(
    rows: Sequence[Row], references: Sequence[str | None], encoder: Encoder, store: Store
) -> NDArray[np.float32]:
    """Cosine similarity of each row and its reference, float32 [N]; NaN without a reference."""
    probes = [row["chip_sha256"] for row, one in zip(rows, references, strict=True) if one]
    templates = _templates({*probes, *(one for one in references if one)}, encoder, store)
    return np.array(
        [
            np.nan if one is None else float(templates[row["chip_sha256"]] @ templates[one])
            for row, one in zip(rows, references, strict=True)
        ],
        np.float32,
    )


def _templates(chips: Iterable[str], encoder: Encoder, store: Store) -> dict[str, Embeddings]:
    """Chip -> embedding; every chip is read and embedded once."""
    rows: list[Row] = [{"chip_sha256": chip} for chip in sorted(chips)]
    found: dict[str, Embeddings] = {}
    for part, images in batches(rows, "chip_sha256", store, "comparing presentations"):
        for row, embedding in zip(rows[part], encoder.encode(np.stack(images)), strict=True):
            found[row["chip_sha256"]] = embedding
    return found


def _figures(
    test: Presentations, accepted: Flags, matched: Flags, known: Flags, params: EvaluateParams
) -> list[Figure]:
    """FRR of the system; IAPMR, IAPAR and RIAPAR of each species, and of the worst."""
    people, live = codes_of(test.subjects), test.bona_fide & known
    through = accepted & matched
    frr = rate_figure(
        "system_frr",
        ~through[live],
        people[live],
        None,
        params,
        method="bona fide attempts that PAD or comparison refuses",
    )
    figures = [frr]
    species = sorted(set(test.species[~test.bona_fide].tolist()))
    for name in species:
        own = (test.species == name) & known
        figures += _of_species(f"species={name}", own, matched, through, people, params, frr)
    return [*figures, *(_worst(name, figures) for name in ("iapmr", "iapar", "riapar") if species)]


def _of_species(
    name: str,
    own: Flags,
    matched: Flags,
    through: Flags,
    people: Codes,
    params: EvaluateParams,
    frr: Figure,
) -> list[Figure]:
    asked = (
        ("iapmr", matched, "attack presentations that match, PAD not asked"),
        ("iapar", through, "attack presentations that PAD accepts and that match"),
    )
    found = [
        rate_figure(figure, errors[own], people[own], None, params, slice_name=name, method=how)
        for figure, errors, how in asked
    ]
    return [*found, _riapar(found[1], frr)]


def _riapar(iapar: Figure, frr: Figure) -> Figure:
    """The sum of both rates; its interval is the sum of theirs, which is no narrower than its own."""
    how = "IAPAR + FRR of the system; the ends of both intervals added"
    ends = [
        None if one is None or other is None else riapar(one, other)
        for one, other in (
            (iapar.value, frr.value),
            (iapar.low, frr.low),
            (iapar.high, frr.high),
        )
    ]
    return Figure(
        name="riapar",
        value=ends[0],
        low=ends[1],
        high=ends[2],
        n=iapar.n,
        slice=iapar.slice,
        method=how,
    )


def _worst(name: str, figures: Sequence[Figure]) -> Figure:
    """Of the species with the highest rate."""
    own = [figure for figure in figures if figure.name == name]
    worst = max(own, key=lambda one: (one.value or 0, one.high or 0))
    how = f"worst species: {worst.slice}; {worst.method}"
    return worst.model_copy(update={"slice": "all", "method": how})
