"""One visual language for every document: blocks in, HTML or PDF out."""

from vultus.reports.blocks import Block, Cell, Heading, Picture, Table, Text, Verdict
from vultus.reports.html import to_html
from vultus.reports.pdf import to_pdf

__all__ = [
    "Block",
    "Cell",
    "Heading",
    "Picture",
    "Table",
    "Text",
    "Verdict",
    "to_html",
    "to_pdf",
]
