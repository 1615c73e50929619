"""Statements follow from counts: each appears at its number and goes at the number it asks for."""

from datetime import UTC, datetime
from typing import Any

from support.rows import crop_row, table_of
from vultus.dataset.census import take_census
from vultus.dataset.limit import Limit
from vultus.dataset.limits import limits_of


def limits(rows: list[dict[str, Any]], enough: int = 30, **options: str) -> dict[str, list[Limit]]:
    found: dict[str, list[Limit]] = {}
    for one in limits_of(take_census([table_of(rows)]), enough=enough, **options):
        found.setdefault(one.topic, []).append(one)
    return found


def people(count: int, each: int = 2, **changes: Any) -> list[dict[str, Any]]:
    return [
        crop_row(1000 * person + n, f"s{person}", split="test", **changes)
        for person in range(count)
        for n in range(each)
    ]


def test_fifteen_people_in_test_show_no_fmr_of_a_thousandth() -> None:
    """15 people are 105 pairs: 3 / 105 = 2.9 %; 78 people are 3,003 pairs, more than 3,000."""
    (few,) = limits(people(15))["false matches"]
    assert few.claim == "An FMR below 2.9 % cannot be shown."
    assert "15 subjects in test, 105 pairs" in few.seen
    assert "78 subjects" in few.needed
    assert "false matches" in limits(people(77))
    assert "false matches" not in limits(people(78))


def test_fnmr_counts_people_with_two_pictures() -> None:
    (one,) = limits(people(30) + [crop_row(n, f"lone{n}", split="test") for n in range(200)])[
        "false non-matches"
    ]
    assert one.claim == "An FNMR below 10 % cannot be shown."
    assert "false non-matches" not in limits(people(300))


def test_missing_simulated_and_few_attacks_are_three_statements() -> None:
    attacks = people(20, presentation="attack", species="print", simulated=True)
    found = limits(people(20) + attacks)["attacks"]
    assert [one.claim for one in found] == [
        "Nothing can be said about replay and mask attacks.",
        "No statement about photographed attacks: all attacks are simulated.",
        "An APCER of 5 % cannot be shown for every species.",
    ]
    assert "print 40 (bound 7.5 %)" in found[2].seen


def test_a_captured_attack_of_every_species_is_enough_for_silence() -> None:
    rows = people(80)
    for species in ("print", "replay", "mask"):
        rows += people(30, presentation="attack", species=species)
    assert "attacks" not in limits(rows)


def test_groups_that_are_thin_in_test_are_named_with_their_number() -> None:
    rows = people(40, attributes=[("sex", "male")])
    rows += [crop_row(n, f"f{n}", split="test", attributes=[("sex", "female")]) for n in range(7)]
    (one,) = limits(rows)["bias"]
    assert one.claim == "1 declared groups are too small in test to be judged."
    assert one.seen == "subjects: sex female: 7"
    assert "0 declared attributes" in limits(people(5))["bias"][0].seen


def test_skin_says_not_measured_then_how_many_then_nothing() -> None:
    assert "not measured" in limits(people(5))["skin tone"][0].seen
    fair = people(40, ita_deg=50.0)
    assert "0 of 40 subjects" in limits(fair)["skin tone"][0].seen
    dark = [row | {"subject": f"d{row['subject']}"} for row in people(30, ita_deg=-35.0)]
    assert "skin tone" not in limits(fair + dark)


def test_conditions_that_hardly_occur() -> None:
    found = limits(people(50))
    assert {"pose", "light", "camera", "source", "time"} <= set(found)
    assert found["light"][0].seen == "dark 0, glaring 0, flat 0, evenly lit 100 of 100"
    rows = people(50)
    for place, row in enumerate(rows):
        row["yaw_deg"] = 40.0 if place % 5 == 0 else 0.0
        row["width"] = 200 + place
        row["source"] = f"file:{place % 2}"
        row["quality_under_exposure_prevention"] = 20.0 if place % 4 == 0 else 90.0
        row["quality_over_exposure_prevention"] = 20.0 if place % 4 == 1 else 90.0
        row["captured_at"] = datetime(2020 + place % 5, 1, 1, tzinfo=UTC)
    assert {"pose", "light", "camera", "source", "time"} & set(limits(rows)) == set()


def test_tiny_faces_and_unknown_licences() -> None:
    rows = people(20, landmarks=[70.0, 90.0, 88.0, 90.0, 79.0, 99.0, 72.0, 108.0, 86.0, 108.0])
    assert "fewer than 30 px" in limits(rows)["size"][0].seen
    assert "size" not in limits(people(20))
    assert "licence" in limits(people(3, licence="unknown"))


def test_rendered_people_are_called_so() -> None:
    assert "rendered" in limits(people(3, source="synthetic"))["people"][0].claim


def test_labels_that_were_not_judged_say_why() -> None:
    (one,) = limits(people(3), noise_missing="the weights are not there")["labels"]
    assert one.seen == "the weights are not there"
