"""Blocks -> PDF, by typst: fonts come with it, nothing is asked of the system."""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from vultus.contracts import words
from vultus.reports.blocks import (
    VERDICT_WORDS,
    Block,
    Cell,
    Heading,
    Picture,
    Table,
    Text,
    Verdict,
    tied,
)
from vultus.reports.palette import LIGHT

_COLOURS = {
    words.Verdict.PASS: LIGHT["pass"],
    words.Verdict.FAIL: LIGHT["fail"],
    words.Verdict.NOT_ENOUGH_DATA: LIGHT["unknown"],
}


def to_pdf(title: str, blocks: Sequence[Block]) -> bytes:
    """A4 pages; the same blocks give the same bytes."""
    return _compiled(title, blocks, "pdf")[0]


def to_pages(title: str, blocks: Sequence[Block], ppi: float = 100) -> list[bytes]:
    """The same pages as PNG files."""
    return _compiled(title, blocks, "png", ppi)


def _compiled(
    title: str, blocks: Sequence[Block], kind: Literal["pdf", "png"], ppi: float | None = None
) -> list[bytes]:
    import matplotlib
    import typst

    # The charts name the font they were measured with; matplotlib carries it.
    fonts = typst.Fonts(
        include_system_fonts=False, font_paths=[Path(matplotlib.get_data_path()) / "fonts" / "ttf"]
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "report.typ"
        source.write_text(_source(title, blocks, Path(folder)), encoding="utf-8")
        made = typst.compile(source, format=kind, ppi=ppi, font_paths=fonts)
    return [bytes(page) for page in made] if isinstance(made, list) else [bytes(made)]


def _source(title: str, blocks: Sequence[Block], folder: Path) -> str:
    parts = [_PREAMBLE, f"#set document(title: {_string(title)}, date: none)", f"= {_text(title)}"]
    number = 0
    for pictures, run in groupby(blocks, key=lambda block: isinstance(block, Picture)):
        if not pictures:
            said = list(run)
            parts += [_block(block) for block in said]
            if isinstance(said[-1], Text):  # it speaks of the pictures below it: on the same page
                parts[-1] = f"#block(sticky: true)[{parts[-1]}]"
            continue
        figures = []
        for picture in run:
            assert isinstance(picture, Picture)
            number += 1
            (folder / f"{number}.{picture.kind}").write_bytes(picture.data)
            figures.append((picture, f"{number}.{picture.kind}"))
        parts += _pictures(figures)
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'=' * (block.level + 1)} {_text(block.text)}"
        case Text():
            return f"#quiet[{_text(block.text)}]" if block.quiet else _text(block.text)
        case Table():
            return _table(block)
        case Verdict():
            colour = _COLOURS[block.verdict]
            return f'#verdict(rgb("{colour}"), {_string(block.word)})[{_text(block.sentence)}]'
        case Picture():
            raise AssertionError("pictures are placed in rows")


def _table(table: Table) -> str:
    align = ", ".join(
        "right" if place in table.numeric else "left" for place in range(len(table.columns))
    )
    widths = ", ".join(_width(table, place) for place in range(len(table.columns)))
    head = ", ".join(f"th[{_text(name)}]" for name in table.columns)
    rows = ",\n  ".join(", ".join(_cell(cell) for cell in row) for row in table.rows)
    made = f"#table(columns: ({widths}), align: ({align}),\n  table.header({head}),\n  {rows}\n)"
    return made + (f"\n#quiet[{_text(table.caption)}]" if table.caption else "")


def _width(table: Table, place: int) -> str:
    """Long texts share what the short columns leave; a longer one gets more, by its square root."""
    if not table.wordy(place):
        return "auto"
    longest = max(len(str(row[place])) for row in table.rows)
    return f"{longest**0.5:.1f}fr"


def _cell(cell: Cell) -> str:
    if isinstance(cell, words.Verdict):
        return f'mark(rgb("{_COLOURS[cell]}"), {_string(VERDICT_WORDS[cell])})'
    return f"[{_text(cell)}]"


def _pictures(figures: Sequence[tuple[Picture, str]]) -> Iterator[str]:
    """Wide ones alone, others in pairs."""
    waiting: list[str] = []
    for picture, file in figures:
        alt, caption = _string(picture.alt), _text(picture.caption)
        made = f"[#image({_string(file)}, width: 100%, alt: {alt})\n#quiet[{caption}]]"
        if picture.wide:
            yield from _pairs(waiting)
            waiting = []
            yield f"#block(breakable: false){made}"
        else:
            waiting.append(made)
    yield from _pairs(waiting)


def _pairs(made: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(made), 2):
        pair = made[start : start + 2]
        yield f"#block(breakable: false, grid(columns: (1fr, 1fr), gutter: 18pt, {', '.join(pair)}))"


def _text(text: str) -> str:
    """As typst content: a string is never read as markup."""
    return f"#{_string(tied(text))}" if text else ""


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


_PREAMBLE = f"""
#let ink = rgb("{LIGHT["ink"]}")
#let faint = rgb("{LIGHT["quiet"]}")
#let rule = rgb("{LIGHT["line"]}")
#set page(paper: "a4", margin: (x: 18mm, y: 18mm), numbering: "1 / 1", number-align: right)
#set text(font: "DejaVu Sans", size: 8.5pt, fill: ink, lang: "en")
#set par(leading: 0.62em, spacing: 1em)
#let head(body) = block(sticky: true, body)
#show heading.where(level: 1): it => head(text(size: 17pt, weight: 700, it.body) + v(4pt))
#show heading.where(level: 2): it => head(v(10pt) + text(size: 12pt, weight: 700, it.body) + v(2pt))
#show heading.where(level: 3): it => head(v(6pt) + text(size: 9.5pt, weight: 700, it.body))
#set table(stroke: (x, y) => (bottom: 0.5pt + if y == 0 {{ faint }} else {{ rule }}),
  inset: (x: 3pt, y: 4pt))
#show table: set text(size: 7pt)
#show table: set par(leading: 0.5em)
#let th(body) = text(fill: faint, weight: 700, body)
#let quiet(body) = text(size: 7.5pt, fill: faint, body)
#let mark(colour, word) = box(stroke: 0.5pt + colour, radius: 1.5pt, inset: (x: 3pt, y: 2pt),
  text(size: 6pt, weight: 700, fill: colour, word))
#let verdict(colour, word, body) = block(width: 100%, fill: rgb("{LIGHT["panel"]}"),
  stroke: (left: 2.5pt + colour), inset: 9pt,
  text(size: 7pt, weight: 700, fill: colour, word) + linebreak() + text(size: 10.5pt, body))
"""
