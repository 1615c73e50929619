"""Counting by hand on small tables; memory on large ones."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from support.rows import crop_row, many_rows, table_of
from vultus.dataset.bands import cross, groupings, skin_bands, subject_medians
from vultus.dataset.census import short_digests, take_census


def test_parts_and_one_table_give_the_same_census() -> None:
    rows = [
        crop_row(n, f"s{n % 3}", attributes=[("sex", "female" if n % 3 else "male")])
        for n in range(10)
    ]
    rows[4]["attributes"] = []
    whole = take_census([table_of(rows)])
    parts = take_census([table_of(rows[:3]), table_of(rows[3:4]), table_of(rows[4:])])
    for one in (whole, parts):
        subject, sex = one.labels["subject"], one.attributes["sex"]
        assert [subject.names[code] for code in subject.codes] == [f"s{n % 3}" for n in range(10)]
        said = [sex.names[code] if code >= 0 else None for code in sex.codes]
        assert said == [None if n == 4 else ("female" if n % 3 else "male") for n in range(10)]
        assert one.values["box_px"].tolist() == [80.0] * 10
        assert one.values["eyes_px"].tolist() == [40.0] * 10
        assert np.isnan(one.values["captured_day"]).all()
    assert (whole.images == parts.images).all()


def test_a_digest_is_told_by_its_first_sixteen_digits() -> None:
    column = pa.chunked_array([["00ff" + "0" * 60], ["abcdef0123456789" + "f" * 48]])
    assert short_digests(column).tolist() == [0x00FF000000000000, 0xABCDEF0123456789]


def test_a_cross_counts_people_once_and_pictures_each() -> None:
    light = [("sex", "female")]
    rows = [
        crop_row(0, "a", attributes=light),
        crop_row(1, "a", attributes=light),
        crop_row(2, "b", attributes=light),
        crop_row(3, "c", attributes=[("sex", "male")], split="test"),
        crop_row(4, "c", attributes=[("sex", "male")], split="test", simulated=True),
    ]
    census = take_census([table_of(rows)])
    one = cross(census, census.attributes["sex"], census.labels["split"], census.own)
    assert (one.rows, one.columns) == (("female", "male"), ("train", "test"))
    assert one.people.tolist() == [[2, 0], [0, 1]]
    assert one.pictures.tolist() == [[3, 0], [0, 1]]
    assert one.thin(2).tolist() == [[False, True], [True, True]]


def test_skin_is_the_median_of_a_subject_not_of_a_picture() -> None:
    rows = [
        crop_row(n, subject, ita_deg=ita)
        for n, (subject, ita) in enumerate(
            [("a", 60.0), ("a", -50.0), ("a", 30.0), ("b", -40.0), ("b", -44.0), ("c", None)]
        )
    ]
    census = take_census([table_of(rows)])
    medians = subject_medians(census, "ita_deg")
    assert medians is not None
    assert medians[:2].tolist() == [30.0, -42.0]
    assert np.isnan(medians[2])
    bands = skin_bands(census)
    assert bands is not None
    said = [bands.names[code] if code >= 0 else None for code in bands.codes]
    assert said == ["intermediate"] * 3 + ["dark"] * 2 + [None]


def test_without_ita_there_is_no_skin_band() -> None:
    assert skin_bands(take_census([table_of([crop_row(0, "a")])])) is None


def test_an_attribute_with_a_value_a_person_is_a_name_not_a_group() -> None:
    rows = [crop_row(n, f"s{n}", attributes=[("passport", str(n))]) for n in range(100)]
    census = take_census([table_of(rows[:50]), table_of(rows[50:])])
    assert census.names_only == ("passport",)
    assert "passport" not in groupings(census)


@pytest.mark.slow
def test_memory_grows_by_bytes_a_row_not_by_the_table() -> None:
    """300,000 rows of about 700 bytes: four of each number are kept, and of all the rest 60."""
    tracemalloc.start()
    census = take_census(many_rows(300_000, 30))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (census.rows, census.subjects) == (300_000, 10_000)
    assert kept < (4 * len(census.values) + 60) * 300_000
