"""HTML and PDF: self-contained, faithful to the text, readable in the dark."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.contracts import words
from vultus.reports import Block, Heading, Picture, Table, Text, Verdict, to_html, to_pdf
from vultus.reports.charts import interval_chart
from vultus.reports.palette import DARK, LIGHT

CHART = interval_chart([("sex: female", 2.0, 1.0, 4.0), ("sex: male", 3.0, 0.5, 6.0)], "FNMR, %")
# One pixel, made by hand: a GIF is no kind we write, so the smallest PNG it is.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
BLOCKS: list[Block] = [
    Verdict(words.Verdict.FAIL, "3 of 4 < 5 requirements are not met"),
    Table(("figure", "value", ""), (("EER", "0.42 %", words.Verdict.PASS),), (1,), "n & more"),
    Heading("Where the errors lie"),
    Picture(CHART, "svg", "two intervals", "The caption"),
    Picture(PIXEL, "png", "one pixel"),
    Text("quiet words", quiet=True),
]
_VOID = {"meta", "img", "link", "br", "hr"}


class _Reader(HTMLParser):
    """Tags left open, texts, and attributes by tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_page_is_whole_and_asks_nobody() -> None:
    page = to_html("A title", BLOCKS)
    reader = _Reader(page)
    assert reader.open == []
    tags = {tag for tag, _ in reader.found}
    assert not tags & {"script", "link", "iframe", "object"}
    for _, attributes in reader.found:
        for name in ("src", "href", "xlink:href", "data"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:"))
    assert not re.search(r"@import|url\((?!#)", page)
    assert "NOT ENOUGH DATA" not in page
    assert "FAIL" in reader.texts


def test_every_picture_says_what_it_shows() -> None:
    found = _Reader(to_html("t", BLOCKS)).found
    assert [a["aria-label"] for tag, a in found if tag == "svg"] == ["two intervals"]
    assert [a["alt"] for tag, a in found if tag == "img"] == ["one pixel"]


def test_a_chart_follows_the_readers_colours() -> None:
    page = to_html("t", [Picture(CHART, "svg", "chart")])
    drawing = page[page.index("<svg") : page.index("</svg>")]
    assert "var(--blue)" in drawing
    assert not [colour for colour in LIGHT.values() if colour in drawing]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    page = to_html("t", [Text(text), Table(("a",), ((text,),))])
    assert "".join(_Reader(page).texts).count(text) >= 2 or not text


def test_numbers_stand_on_the_right_and_have_a_name_on_a_narrow_screen() -> None:
    cells = [a for tag, a in _Reader(to_html("t", BLOCKS)).found if tag == "td"]
    assert [a["data-name"] for a in cells] == ["figure", "value", ""]
    assert cells[1]["class"] == "n"


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(palette: dict[str, str]) -> None:
    """WCAG 2.2: 4.5 : 1 for text, 3 : 1 for marks in charts."""
    for name in ("ink", "quiet", "pass", "fail", "unknown"):
        for ground in ("ground", "panel"):
            assert _contrast(palette[name], palette[ground]) >= 4.5, (name, ground)
    for name in ("blue", "orange", "teal"):
        assert _contrast(palette[name], palette["ground"]) >= 3


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 columns, but a row of 1"):
        Table(("a", "b"), (("only one",),))


def test_a_pdf_comes_out_and_twice_the_same() -> None:
    made = to_pdf("A title", BLOCKS)
    assert made.startswith(b"%PDF")
    assert made == to_pdf("A title", BLOCKS)


@pytest.mark.parametrize(
    "text", ['#panic("read as code")', "*bold* _it_ $x$", 'a "quote" \\ back', "@label <x>", "= no"]
)
def test_a_pdf_takes_text_as_text(text: str) -> None:
    blocks: list[Block] = [Text(text), Table((text,), ((text,),)), Heading(text), Verdict(
        words.Verdict.PASS, text)]  # fmt: skip
    assert to_pdf(text, blocks).startswith(b"%PDF")


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
