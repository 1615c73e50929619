"""What a document is made of. A block says what it is; how it looks is the writers' business."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vultus.contracts import words

_SENTENCE = 34

Cell: TypeAlias = str | words.Verdict
"""Text, or a verdict that is drawn as a mark."""


def tied(text: str) -> str:
    """The text as it is printed: a number and its sign stay on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


@dataclass(frozen=True)
class Heading:
    """A line that names what follows; level 1 or 2."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True)
class Text:
    """A paragraph; `quiet` for what explains rather than says."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns; `numeric` columns stand on their right edge."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[int, ...] = ()
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(self.columns)} columns, but a row of {len(row)}: {row}")

    def wordy(self, column: int) -> bool:
        """Whether a column holds sentences, which wrap, or short entries, which do not."""
        return any(len(row[column]) > _SENTENCE for row in self.rows)


@dataclass(frozen=True)
class Picture:
    """A chart (SVG, in the colours of `vultus.reports.palette`) or a raster picture.

    `alt` says in words what is to be seen. `wide` takes the whole line; others stand in pairs.
    """

    data: bytes
    kind: Literal["svg", "png", "jpeg"]
    alt: str
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Verdict:
    """The one sentence a reader came for; `label` instead of the verdict's own word."""

    verdict: words.Verdict
    sentence: str
    label: str = ""

    @property
    def word(self) -> str:
        """What stands above the sentence."""
        return self.label or VERDICT_WORDS[self.verdict]


Block: TypeAlias = Heading | Text | Table | Picture | Verdict

VERDICT_WORDS = {
    words.Verdict.PASS: "PASS",
    words.Verdict.FAIL: "FAIL",
    words.Verdict.NOT_ENOUGH_DATA: "NOT ENOUGH DATA",
}
