"""Writes the comparison of two data versions: `report.html`, `report.pdf`, `figures.json`."""

import json
from dataclasses import replace
from pathlib import Path

from components.validate.album import Album
from components.validate.page_difference import difference_blocks, difference_title
from components.validate.report import DatasetReport, Said
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.dataset.difference import Difference, difference, difference_figures
from vultus.reports import to_html, to_pdf


def write_difference(
    before: FaceCrops | RawFaces,
    after: FaceCrops | RawFaces,
    folder: Path | None,
    report: DatasetReport,
    raws: tuple[RawFaces | None, RawFaces | None] = (None, None),
    said: Said = lambda what: None,
) -> Difference:
    """Compare two versions, and write the pages where a folder is given.

    Labels are not judged here: that belongs to each version's own report.
    Raises: StorageUnavailable; BadArtifact, if the store lost a picture.
    """
    plain = replace(report, encoder=None, no_encoder="a comparison does not judge labels")
    found = difference(plain.survey(before, raws[0], said), plain.survey(after, raws[1], said))
    if folder is None:
        return found
    said("drawing the report")
    store = report.store
    albums = None if store is None else (Album(before, store), Album(after, store))
    blocks, title = difference_blocks(found, albums), difference_title(found)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(to_html(title, blocks), encoding="utf-8")
    (folder / "report.pdf").write_bytes(to_pdf(title, blocks))
    text = json.dumps(difference_figures(found), indent=1)
    (folder / "figures.json").write_text(text, encoding="utf-8")
    return found
