"""How the pictures are: size, pose, light, quality, skin tone; each with faces from end to end."""

from collections.abc import Iterator

import numpy as np

from components.validate.album import Album
from components.validate.tiles import faces_of, spaced
from vultus.dataset.census import Values
from vultus.dataset.survey import SPLITS, Survey
from vultus.reports import Block, Heading, Picture, Table, Text
from vultus.reports.charts import histogram_chart
from vultus.reports.counts import density_chart

_STRIP = 12
_TOP = 0.995
_FEWEST = 5
_NAMES = {
    "width": "width, px",
    "height": "height, px",
    "bytes": "file size, bytes",
    "captured_day": "captured, days since 1970",
    "detection_score": "detection score",
    "box_px": "face box, px",
    "eyes_px": "between the eyes, px",
    "yaw_deg": "yaw, ° (estimate)",
    "pitch_deg": "pitch, ° (estimate)",
    "roll_deg": "roll, ° (estimate)",
    "ita_deg": "ITA, ° (estimate)",
}
"""In the order of the table: of the file, of the face; quality follows."""


def name_of(value: str) -> str:
    """How a person calls a measured quantity."""
    if value.startswith("quality_"):
        return value.removeprefix("quality_").replace("_", " ") + ", 0–100"
    return _NAMES.get(value, value.replace("_", " "))


def number(value: float) -> str:
    """Three digits that say something, at most three behind the point, no powers of ten."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{round(value, 3):.3g}"
    return "0" if text == "-0" else text.replace("-", "−")


def cosine(value: float) -> str:
    """A similarity, two digits behind the point."""
    return f"{value:.2f}".replace("-", "−")


def picture_blocks(found: Survey, album: Album | None) -> Iterator[Block]:
    """Charts and strips of faces of the pictures as captured."""
    values, own = found.census.values, found.census.own
    if not own.any():
        return
    yield Heading("How the pictures are")
    yield Text(
        "Bona fide pictures as captured. With each chart: faces from one end of the scale to the "
        "other, evenly spaced by rank, line by line.",
        quiet=True,
    )
    if "eyes_px" in values:
        yield from _quantity(
            found, album, "Resolution", "eyes_px", ("fewest pixels", "most pixels")
        )
    if "yaw_deg" in values:
        yield from _pose(found, album)
    light = _lightness(found)
    if light is not None:
        yield from _light(found, album, light)
    if "quality_unified" in values:
        yield from _quantity(found, album, "Quality", "quality_unified", ("worst", "best"))
    yield from _skin(found, album)


def _quantity(
    found: Survey, album: Album | None, title: str, name: str, ends: tuple[str, str]
) -> Iterator[Block]:
    values = found.census.values[name]
    yield Heading(title, 2)
    yield from _histogram(found, values, name_of(name))
    unit = " px" if name.endswith("_px") else ""
    yield from _strip(found, album, values, f"{title}: from {ends[0]} to {ends[1]}.", unit)


def _pose(found: Survey, album: Album | None) -> Iterator[Block]:
    values, own = found.census.values, found.census.own
    yield Heading("Pose", 2)
    yield Picture(
        density_chart(
            values["yaw_deg"][own], values["pitch_deg"][own], (90.0, 60.0),
            ("yaw, ° (the nose points left – right)", "pitch, ° (up – down)"),
        ),
        "svg",
        "How many pictures there are of each yaw and pitch",
        "Yaw and pitch, estimated from five landmarks; darker squares hold more pictures.",
    )  # fmt: skip
    yield from _strip(
        found, album, values["yaw_deg"], "From turned to the left to turned to the right.", "°"
    )


def _lightness(found: Survey) -> Values | None:
    """Negative = many pixels near black, positive = many near white, 0 = neither."""
    names = ("quality_under_exposure_prevention", "quality_over_exposure_prevention")
    if any(name not in found.census.values for name in names):
        return None
    under, over = (found.census.values[name] for name in names)
    return np.asarray(under - over, np.float32)


def _light(found: Survey, album: Album | None, light: Values) -> Iterator[Block]:
    yield Heading("Light", 2)
    yield from _histogram(found, light, "dark ← pixels near black or near white → glaring")
    yield from _strip(found, album, light, "From the darkest to the most glaring.")


def _skin(found: Survey, album: Album | None) -> Iterator[Block]:
    values = found.census.values.get("ita_deg")
    yield Heading("Skin tone", 2)
    if values is None or not np.isfinite(values[found.census.own]).any():
        yield Text("Not measured in this version: it has no ITA.")
        return
    yield Text(
        "ITA° (individual typology angle) is an estimate from the colours of the crop. Light, "
        "camera and make-up move it by tens of degrees: read it as a rough order, and believe a "
        "declared attribute before it.",
        quiet=True,
    )
    yield from _histogram(found, values, name_of("ita_deg"))
    yield from _strip(
        found, album, values, "From the lowest ITA (darker) to the highest (lighter).", "°"
    )


def _histogram(found: Survey, values: Values, label: str) -> Iterator[Block]:
    census = found.census
    known = census.own & np.isfinite(values)
    groups = {
        split: values[known & census.labels["split"].where(split)]
        for split in SPLITS
        if int((known & census.labels["split"].where(split)).sum()) >= _FEWEST
    }
    if not groups:
        return
    small = "" if len(groups) == len(SPLITS) else f" Fewer than {_FEWEST} pictures are not drawn."
    top = float(np.quantile(values[known], _TOP))
    cut = {split: np.minimum(some, top) for split, some in groups.items()}
    yield Picture(
        histogram_chart(cut, label, bins=_bins(min(len(some) for some in cut.values()))),
        "svg",
        f"Distribution of {label} in each split",
        "Share of each split's bona fide pictures; the last bar holds everything beyond the 99.5 % "
        f"quantile.{small}",
    )


def _bins(pictures: int) -> int:
    """Fewer bars where there are few pictures: single ones draw a comb."""
    return int(np.clip(2 * np.sqrt(pictures), 8, 40))


def _strip(
    found: Survey, album: Album | None, values: Values, caption: str, unit: str = ""
) -> Iterator[Block]:
    if album is None:
        return
    rows = np.flatnonzero(found.census.own & np.isfinite(values))
    if rows.size:
        chosen = spaced(rows[np.argsort(values[rows], kind="stable")], _STRIP)
        lowest, highest = (number(values[chosen[place]]) + unit for place in (0, -1))
        ends = f" Lowest {lowest}, highest {highest}."
        yield Picture(
            faces_of(album, [[row] for row in chosen]),
            "jpeg",
            f"{len(chosen)} faces. {caption}",
            caption + ends,
        )


def measurement_blocks(found: Survey) -> Iterator[Block]:
    """Quantiles of everything that was measured: for looking things up."""
    rows = tuple(
        (
            name_of(name),
            f"{one.n:,}",
            number(one.median),
            f"{number(one.q05)} to {number(one.q95)}",
            f"{number(one.low)} to {number(one.high)}",
        )
        for name, one in sorted(found.spreads().items(), key=lambda pair: _place(pair[0]))
    )
    yield Heading("All measurements")
    yield Table(
        ("quantity", "n", "median", "nine in ten lie within", "lowest to highest"),
        rows,
        numeric=(1, 2, 3, 4),
        caption="Bona fide pictures as captured. Quality components are named after "
        "ISO/IEC 29794-5; the computations are our own.",
    )


def _place(name: str) -> tuple[int, str]:
    names = list(_NAMES)
    return (names.index(name) if name in names else len(names)), name
