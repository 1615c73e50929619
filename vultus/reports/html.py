"""Blocks -> one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

import base64
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

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
from vultus.reports.palette import DARK, LIGHT

_MARKS = {
    words.Verdict.PASS: "pass",
    words.Verdict.FAIL: "fail",
    words.Verdict.NOT_ENOUGH_DATA: "unknown",
}


def to_html(title: str, blocks: Sequence[Block]) -> str:
    """One self-contained page, light or dark as the reader's system is, for 400 px and wider."""
    body = "\n".join(_body(blocks))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(blocks: Sequence[Block]) -> Iterator[str]:
    """Neighbouring pictures stand in one grid."""
    for pictures, run in groupby(blocks, key=lambda block: isinstance(block, Picture)):
        if pictures:
            inside = "\n".join(_block(block) for block in run)
            yield f'<div class="pictures">\n{inside}\n</div>'
        else:
            yield from (_block(block) for block in run)


def _block(block: Block) -> str:
    match block:
        case Heading():
            level = block.level + 1
            return f"<h{level}>{_prose(block.text)}</h{level}>"
        case Text():
            return f"<p{' class=quiet' if block.quiet else ''}>{_prose(block.text)}</p>"
        case Table():
            return _table(block)
        case Picture():
            return _picture(block)
        case Verdict():
            mark = _MARKS[block.verdict]
            return (
                f'<section class="verdict {mark}"><strong>{escape(block.word)}</strong>'
                f"<p>{_prose(block.sentence)}</p></section>"
            )


def _table(table: Table) -> str:
    def kind(place: int) -> str:
        if place in table.numeric:
            return " class=n"
        return " class=words" if table.wordy(place) else ""

    names = [_prose(name) for name in table.columns]
    head = "".join(f"<th{kind(place)}>{name}</th>" for place, name in enumerate(names))
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td{kind(place)} data-name="{names[place]}">{_cell(cell)}</td>'
            for place, cell in enumerate(row)
        )
        + "</tr>\n"
        for row in table.rows
    )
    caption = f"<figcaption>{_prose(table.caption)}</figcaption>" if table.caption else ""
    return (
        '<figure class="table"><div class="scroll" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>{caption}</figure>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, words.Verdict):
        return f'<span class="mark {_MARKS[cell]}">{VERDICT_WORDS[cell]}</span>'
    return _prose(cell)


def _prose(text: str) -> str:
    return escape(tied(text))


def _picture(picture: Picture) -> str:
    caption = f"<figcaption>{_prose(picture.caption)}</figcaption>" if picture.caption else ""
    if picture.kind == "svg":
        inside = _inline_svg(picture)
    else:
        data = base64.b64encode(picture.data).decode()
        inside = f'<img alt="{escape(picture.alt)}" src="data:image/{picture.kind};base64,{data}">'
    return f'<figure class="{"wide" if picture.wide else "half"}">{inside}{caption}</figure>'


def _inline_svg(picture: Picture) -> str:
    """The drawing as part of the page, so that its colours follow the reader's."""
    drawing = picture.data.decode()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    for name, colour in LIGHT.items():
        drawing = drawing.replace(colour, f"var(--{name})")
    label = f'<svg role="img" aria-label="{escape(picture.alt)}"'
    return drawing.replace("<svg", label, 1)


def _style() -> str:
    light, dark = (
        "".join(f"--{name}:{colour};" for name, colour in palette.items())
        for palette in (LIGHT, DARK)
    )
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{_RULES}"


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:clamp(20px,4vw,56px) clamp(16px,4vw,40px)}
h1{font-size:clamp(1.5rem,1.2rem + 1.4vw,2.125rem);line-height:1.2;letter-spacing:-.015em;
 margin:0 0 1.25rem;font-weight:650;text-wrap:balance}
h2{font-size:1.3125rem;line-height:1.3;margin:3rem 0 .75rem;font-weight:620;letter-spacing:-.005em}
h3{font-size:1.0625rem;line-height:1.35;margin:2rem 0 .5rem;font-weight:620}
p{max-width:70ch;margin:.5rem 0 1rem}
.quiet,figcaption{color:var(--quiet);font-size:.875rem;line-height:1.5}
figcaption{max-width:80ch;margin-top:.5rem}
figure{margin:1.25rem 0}
.verdict{border-left:5px solid currentColor;background:var(--panel);border-radius:4px;
 padding:1rem 1.25rem;margin:0 0 1.5rem}
.verdict strong{font-size:.8125rem;letter-spacing:.06em}
.verdict p{color:var(--ink);font-size:1.125rem;line-height:1.45;margin:.25rem 0 0}
.pass{color:var(--pass)}.fail{color:var(--fail)}.unknown{color:var(--unknown)}
.mark{font-size:.75rem;font-weight:650;letter-spacing:.04em;white-space:nowrap;
 border:1px solid currentColor;border-radius:3px;padding:.1rem .4rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.90625rem}
th,td{white-space:nowrap;text-align:left;vertical-align:baseline;padding:.5rem 1rem .5rem 0;
 border-bottom:1px solid var(--line)}
th{font-size:.8125rem;font-weight:600;color:var(--quiet);border-bottom-color:var(--quiet)}
td:last-child,th:last-child{padding-right:0}
.words{white-space:normal}
.n{text-align:right;font-variant-numeric:tabular-nums}
.pictures{display:grid;gap:1.5rem 2.5rem;
 grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));
 margin:1.25rem 0}
.pictures figure{margin:0;min-width:0}
.pictures .wide{grid-column:1/-1}
svg,img{display:block;width:100%;height:auto}
.half svg,.half img{max-width:560px}
@media (max-width:640px){
 thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 table,tbody,tr,td{display:block}
 tr{padding:.625rem 0;border-bottom:1px solid var(--line)}
 tr:first-child{border-top:1px solid var(--line)}
 td{display:flex;justify-content:space-between;gap:1rem;padding:.125rem 0;border:0;
  text-align:right;white-space:normal}
 td.words:not(:first-child){display:block;text-align:left}
 td.words:not(:first-child)::before{display:block}
 td:first-child{font-weight:600;text-align:left}
 td:not(:first-child)::before{content:attr(data-name);color:var(--quiet);font-size:.8125rem;
  text-align:left;flex:none}
 td:empty,td.words:empty:not(:first-child){display:none}
}
@media print{main{max-width:none;padding:0}figure,.verdict{break-inside:avoid}}
"""
