"""Charts: what is drawn is what was handed over, in the palette's colours, the same every time."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from vultus.faces.picture import decode_image
from vultus.reports.charts import (
    DetCurve,
    cmc_chart,
    det_chart,
    histogram_chart,
    interval_chart,
    reliability_chart,
    sheet,
    strip_chart,
)
from vultus.reports.counts import density_chart
from vultus.reports.palette import LIGHT

_RNG = np.random.default_rng(0)
_HIGH, _LOW = (_RNG.normal(m, 0.1, 60).astype(np.float32) for m in (0.7, 0.2))
_RATES = np.linspace(1, 0, 20)

CHARTS: dict[str, Callable[[], bytes]] = {
    "det": lambda: det_chart(
        {"one": DetCurve(_RATES, 1 - _RATES, (0.0, 0.1)), "two": DetCurve(_RATES, 0.5 * (1 - _RATES))},
        "FMR", "FNMR"),
    "histogram": lambda: histogram_chart({"non-mated": _LOW, "mated": _HIGH}, "score", 0.5),
    "strip": lambda: strip_chart({"bona fide": _HIGH, "print": _LOW}, "PAD score", {"own": 0.4}),
    "reliability": lambda: reliability_chart(
        np.concatenate([_HIGH, _LOW]) * 8 - 4, np.repeat([True, False], 60)),
    "det with a band": lambda: det_chart(
        {"one": DetCurve(_RATES, 1 - _RATES, None, (_RATES, 0.8 * (1 - _RATES), 1 - _RATES))},
        "FMR", "FNMR"),
    "cmc": lambda: cmc_chart(_RATES[::-1], 0.9 * _RATES[::-1], _RATES[::-1]),
    "interval": lambda: interval_chart([("sex: female", 2, 1, 3)], "FNMR, %", 5.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_xml_in_the_palettes_colours_and_always_the_same(name: str) -> None:
    made = CHARTS[name]()
    ElementTree.fromstring(made)
    colours = set(re.findall(r"#[0-9a-f]{6}", made.decode()))
    assert colours <= set(LIGHT.values())
    assert made == CHARTS[name]()
    assert b"<script" not in made


def _texts(made: bytes) -> str:
    return " ".join(ElementTree.fromstring(made).itertext())


def test_a_det_axis_goes_down_to_what_the_trials_show() -> None:
    """0.001 % where a hundred thousand trials show it, for FNMR of few trials no further than 0.05 %."""
    fine = np.geomspace(1, 1e-5, 30)
    made = det_chart({"one": DetCurve(fine, np.linspace(0, 1, 30))}, "FMR", "FNMR")
    words = [word.text for word in ElementTree.fromstring(made).iter() if word.text]
    ticks = [word.strip() for word in words if re.fullmatch(r"[\d.e-]+", word.strip())]
    assert ticks.count("0.001") == 1
    assert ticks.count("0.1") == 2
    assert "0.001" not in _texts(CHARTS["det"]())


def test_groups_are_named_with_their_size() -> None:
    for name in ("histogram", "strip"):
        assert "(60)" in _texts(CHARTS[name]())
    assert "mated (60)" in _texts(CHARTS["histogram"]())
    assert "FNMR, %" in _texts(CHARTS["det"]())


def test_one_score_alone_can_be_drawn() -> None:
    one = np.array([0.5], np.float32)
    assert "(1)" in _texts(histogram_chart({"a": one}, "score"))
    assert "(1)" in _texts(strip_chart({"a": one}, "score"))


def test_a_sheet_shows_every_picture_in_its_place() -> None:
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]
    pictures = [np.full((50, 40, 3), colour, np.uint8) for colour in colours]
    made = decode_image(sheet([pictures[:2], pictures[2:]], side_px=32, columns=2))
    assert made.shape == (2 * 32 + 8, 64, 3)
    for place, colour in enumerate(colours):
        y, x = 16 + place // 2 * 40, 16 + place % 2 * 32
        assert made[y, x].astype(int) == pytest.approx(colour, abs=12)


@pytest.mark.parametrize("most", [1, 44, 98])
def test_the_fullest_square_has_the_darkest_shade(most: int) -> None:
    """7 * log(99) / log(99) is more than 7, and no colour is darker than its own."""
    pairs = np.zeros(most, np.float32)
    assert b"opacity: 0.9" in density_chart(pairs, pairs, (90, 60), ("across", "down"))
