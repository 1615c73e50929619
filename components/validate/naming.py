"""`suspects.csv`: every suspect by the sha256 of its image and its subject's pseudonym."""

import csv
from collections.abc import Iterator
from pathlib import Path

from components.validate.album import references
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.dataset.survey import Survey

COLUMNS = ("kind", "image_sha256", "subject", "other_image_sha256", "other_subject", "similarity")
_Line = tuple[str, int, int, float | None]


def write_suspects(found: Survey, version: FaceCrops | RawFaces, file: Path) -> None:
    """One line a suspect, in the order of the report; the header alone where there is none."""
    lines = list(_lines(found))
    rows = {row for _, first, other, _ in lines for row in (first, other)}
    digests = references(version, rows, "image_sha256")
    subject = found.census.labels["subject"]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for kind, first, other, similarity in lines:
            named = [
                text
                for row in (first, other)
                for text in (digests[row], subject.names[subject.codes[row]])
            ]
            writer.writerow([kind, *named, "" if similarity is None else f"{similarity:.4f}"])


def _lines(found: Survey) -> Iterator[_Line]:
    """Kind, row, the row it is compared with, their similarity."""
    if found.noise is not None:
        for one in found.noise.strays:
            if one.nearer is None:
                yield "far_from_its_subject", one.row, one.typical, one.similarity
            else:
                yield "looks_like_another_subject", one.row, one.nearer, one.nearer_similarity
        for pair in found.noise.twins:
            yield "two_subjects_alike", pair.first, pair.second, pair.similarity
    if found.duplicates is not None:
        for kind, pairs in (
            ("near_duplicate_two_subjects", found.duplicates.across_subjects),
            ("near_duplicate_two_splits", found.duplicates.across_splits),
            ("near_duplicate_one_subject", found.duplicates.within),
        ):
            for first, other in pairs:
                yield kind, first, other, None
