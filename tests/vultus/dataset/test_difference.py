"""A known change between two versions comes back as that change."""

from pathlib import Path
from typing import Any

from support.rows import crop_row, table_of
from vultus.contracts.faces import QUARANTINE_SCHEMA, FaceCrops
from vultus.dataset.difference import Difference, difference
from vultus.dataset.survey import SurveyParams, figures, survey


def version(folder: Path, rows: list[dict[str, Any]]) -> FaceCrops:
    return FaceCrops.write(
        folder,
        crops=table_of(rows),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
        made_by="test",
        facts={"raw_digest": "0" * 64, "pictures": len(rows)},
    )


def compared(tmp_path: Path, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Difference:
    sides = [
        survey(version(tmp_path / name, rows), SurveyParams(), embed=None)
        for name, rows in (("old", old), ("new", new))
    ]
    return difference(*sides)


def rows(people: range, **changes: Any) -> list[dict[str, Any]]:
    return [
        crop_row(10 * person + n, f"s{person}", **changes) for person in people for n in range(3)
    ]


def test_a_version_against_itself(tmp_path: Path) -> None:
    same = compared(tmp_path, rows(range(30)), rows(range(30)))
    assert (same.pictures.came, same.pictures.went, same.pictures.stayed) == (0, 0, 90)
    assert (same.moved, same.changed_split, same.limits_new) == ((), 0, ())


def test_who_came_and_who_went(tmp_path: Path) -> None:
    found = compared(tmp_path, rows(range(30)), rows(range(10, 45)))
    assert vars(found.subjects) == {"came": 15, "went": 10, "stayed": 20}
    assert vars(found.pictures) == {"came": 45, "went": 30, "stayed": 60}
    assert found.came.tolist() == list(range(60, 105))
    assert found.went.tolist() == list(range(30))


def test_darker_pictures_move_that_distribution_and_no_other(tmp_path: Path) -> None:
    spread = rows(range(60))
    for place, row in enumerate(spread):
        row["quality_under_exposure_prevention"] = 60 + place % 40
    dark = [
        row | {"quality_under_exposure_prevention": 5.0 + n % 30} for n, row in enumerate(spread)
    ]
    found = compared(tmp_path, spread, dark)
    assert [one.name for one in found.moved] == ["quality_under_exposure_prevention"]
    assert [one.split(":")[0] for one in found.limits_gone] == ["light"]  # dark ones occur now


def test_a_subject_in_another_split_is_counted(tmp_path: Path) -> None:
    old, new = rows(range(5)), rows(range(5))
    for row in new[:3]:
        row["split"] = "test"
    assert compared(tmp_path, old, new).changed_split == 1


def test_figures_are_plain(tmp_path: Path) -> None:
    import json

    one = survey(version(tmp_path / "one", rows(range(4))), SurveyParams(), embed=None)
    text = json.dumps(figures(one), allow_nan=False)
    read = json.loads(text)
    assert (read["pictures"], read["subjects"], read["noise"]) == (12, 4, None)
    assert read["composition"][0]["pictures"] == {"train": 12, "validation": 0, "test": 0}
    assert read["noise_missing"] == "no encoder was given"
