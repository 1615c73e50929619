"""Do figures and thresholds follow from the raw scores they are signed with?"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.promote.reckoning_counts import counted
from components.promote.reckoning_system import Reckoned, system_figures, system_reasons
from vultus.contracts.artifact import sha256_of
from vultus.contracts.evaluation import FIGURES, Figure
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Split
from vultus.metrics import BpcerAtApcer, Ranking, acer, calibrate

_RATE_TOLERANCE = 1e-9
_LLR_TOLERANCE = 1e-2
_PANEL = "panel"
APCER_PERCENT = (1, 5, 10)
"""At which BPCER is stated."""
Values = NDArray[np.float64]


def reckoning_reasons(version: ModelVersion) -> Iterator[str]:
    """A table or a figure of another model does not follow from this model's scores."""
    scores = version.table("scores.parquet")
    yield from _trial_reasons(version, scores)
    yield from _threshold_reasons(version, scores)
    if isinstance(version.transform, LivenessTransform):
        yield from _member_reasons(version, version.transform)
        accepted = _accepted(scores, version.transform)
        stated = {figure.name for figure in figures_of(version)}
        yield from system_reasons(version, stated, _rows(scores, Split.TEST), accepted)
        found = _pad_figures(scores, accepted) | system_figures(version)
    else:
        yield from _counts_reasons(version, scores)
        found = _recognition_figures(version, scores)
    yield from _window_reasons(version, scores)
    for figure in figures_of(version):
        value = found.get((figure.name, figure.slice))
        # NaN: neither side can be reckoned, which `floor_reasons` refuses in its own words.
        if value is None or np.isnan(value) or figure.value is None or np.isnan(figure.value):
            continue
        if abs(value - figure.value) > 1e-6:
            yield (
                f"its {_name(figure)} is signed as {figure.value:.5f}, its own raw scores give "
                f"{value:.5f}: the figures are of another evaluation"
            )


def figures_of(version: ModelVersion) -> list[Figure]:
    """Of the whole test split, and of slices."""
    return FIGURES.validate_json((version.path / "figures.json").read_bytes())


def rows_of(version: ModelVersion, split: Split = Split.TEST) -> pa.Table:
    """Rows of scores.parquet of one split; PAD: what the panel said."""
    return _rows(version.table("scores.parquet"), split)


def _rows(scores: pa.Table, split: Split) -> pa.Table:
    import pyarrow.compute as pc

    keep = pc.equal(scores["split"], split.value)
    if "member" in scores.column_names:
        keep = pc.and_(keep, pc.equal(scores["member"], _PANEL))
    return scores.filter(keep)


def _trial_reasons(version: ModelVersion, scores: pa.Table) -> Iterator[str]:
    trials = version.table("trials.parquet")
    own = scores
    if "member" in scores.column_names:
        import pyarrow.compute as pc

        own = scores.filter(pc.equal(scores["member"], _PANEL))
    if not own.select(trials.column_names).equals(trials):
        yield "its scores are not those of its trials"


def _threshold_reasons(version: ModelVersion, scores: pa.Table) -> Iterator[str]:
    """`fmr` of every threshold is a share that validation shows, `llr` its calibration."""
    table, rows = version.table("thresholds.parquet"), _rows(scores, Split.VALIDATION)
    values, positive = _values(rows), _positive(rows)
    known = np.isfinite(values)
    if not (positive & known).any() or not (~positive & known).any():
        yield "its validation scores cannot set a threshold"
        return
    points = table["score"].to_numpy().astype(np.float32)
    kinds = [~positive & known]
    if "species" in rows.column_names:
        species = np.array([name or "" for name in rows["species"].to_pylist()])
        kinds = [known & (species == name) for name in sorted(set(species[kinds[0]]))]
    shares = [_shares(values[kind], points) for kind in kinds]
    whole = counted(version, Split.VALIDATION)
    if whole is not None:
        shares = [whole.shares(points)]
    off = float(np.abs(np.max(shares, axis=0) - table["fmr"].to_numpy()).max())
    if off > _RATE_TOLERANCE:
        yield (
            f"its threshold table is not its own: its validation scores give other rates at these "
            f"thresholds (off by up to {off:.2%}); the table is of another model"
        )
        return
    line = calibrate(values[positive & known], values[~positive & known])
    if float(np.abs(line.llr(points) - table["llr"].to_numpy()).max()) > _LLR_TOLERANCE * (
        1 + line.slope
    ):
        yield "the likelihood ratios of its threshold table do not follow from its scores"


def _shares(values: Values, points: NDArray[np.float32]) -> Values:
    """Share of the values at or above each point."""
    return np.asarray(1 - np.searchsorted(np.sort(values), points, "left") / len(values))


def _window_reasons(version: ModelVersion, scores: pa.Table) -> Iterator[str]:
    """The reference window of monitoring is drawn from the test scores."""
    name = "score" if "score" in scores.column_names else "pad_score"
    window = version.table("reference_features.parquet")[name].drop_null().to_numpy()
    own = _rows(scores, Split.TEST)[name].drop_null().to_numpy()
    strange = int((~np.isin(window.astype(np.float32), own)).sum())
    if strange:
        yield f"{strange} scores of its reference window are none of its own: it is of another model"


def _member_reasons(version: ModelVersion, transform: LivenessTransform) -> Iterator[str]:
    for member in transform.members:
        if sha256_of(version.path / member.file) != member.sha256:
            yield f"{member.file} is not the network that transform.json names for {member.name}"


def _counts_reasons(version: ModelVersion, scores: pa.Table) -> Iterator[str]:
    for split in (Split.VALIDATION, Split.TEST):
        whole, rows = counted(version, split), _rows(scores, split)
        if whole is not None:
            yield from whole.strangers(_values(rows)[~_positive(rows)])


def _name(figure: Figure) -> str:
    return figure.name if figure.slice == "all" else f"{figure.name} ({figure.slice})"


def _recognition_figures(version: ModelVersion, scores: pa.Table) -> Reckoned:
    rows = _rows(scores, Split.TEST)
    values, mated = _values(rows), _positive(rows)
    if mated.all() or not mated.any():
        return {}
    whole = counted(version, Split.TEST)
    ranking, weights = Ranking(values, mated), None
    if whole is not None:
        ranking, weights = whole.ranked(values[mated])
    found = {
        ("eer", "all"): ranking.equal_error_rate(weights),
        ("auc", "all"): ranking.auc(weights),
    }
    table = version.table("thresholds.parquet")
    points, rates = table["score"].to_numpy(), table["fmr"].to_numpy()
    for figure in figures_of(version):
        for prefix in ("fnmr_at_fmr_", "realised_fmr_"):
            if figure.name.startswith(prefix):
                allowed = points[rates <= float(figure.name.removeprefix(prefix))]
                at = np.float32(allowed.min() if len(allowed) else points.max())
                kind = values[mated] < at if prefix.startswith("fnmr") else values[~mated] >= at
                found[(figure.name, "all")] = float(kind.mean())
                if whole is not None and prefix.startswith("realised"):
                    found[(figure.name, "all")] = float(whole.shares(np.array([at]))[0])
    return found


def _pad_figures(scores: pa.Table, accepted: NDArray[np.bool_] | None) -> Reckoned:
    rows = _rows(scores, Split.TEST)
    values, positive = _values(rows), _positive(rows)
    known = np.isfinite(values)
    species = np.array([name or "" for name in rows["species"].to_pylist()], np.str_)
    kinds = sorted(set(species.tolist()) - {""})
    found: Reckoned = {}
    if (positive & known).any() and (~positive & known).any():
        ranking = Ranking(values[known], positive[known])
        found[("pad_auc", "all")] = ranking.auc()
        found[("pad_eer", "all")] = ranking.equal_error_rate()
        for percent in APCER_PERCENT:
            at = BpcerAtApcer(values[known], species[known], percent / 100)
            found[(f"bpcer_at_apcer_{percent}", "all")] = at()
    if accepted is None:
        return found
    for name in kinds:
        found[("apcer", f"species={name}")] = float(accepted[species == name].mean())
    if kinds:
        found[("apcer", "all")] = max(found[("apcer", f"species={name}")] for name in kinds)
    if positive.any():
        found[("bpcer", "all")] = float((~accepted[positive]).mean())
    if kinds and positive.any():
        found[("acer", "all")] = acer(found[("apcer", "all")], found[("bpcer", "all")])
    return found


def _accepted(scores: pa.Table, transform: LivenessTransform) -> NDArray[np.bool_] | None:
    """The panel repeats the score of the member that spoke; None where members' rows are absent."""
    import pyarrow.compute as pc

    panel = _values(_rows(scores, Split.TEST))
    accepted = np.zeros(len(panel), bool)
    for member in transform.members:
        of = pc.and_(
            pc.equal(scores["split"], Split.TEST.value), pc.equal(scores["member"], member.name)
        )
        own = _values(scores.filter(of))
        if len(own) != len(panel) or member.threshold is None:
            return None
        accepted |= (panel == own) & (own >= np.float32(member.threshold))
    return accepted


def _values(rows: pa.Table) -> Values:
    name = "score" if "score" in rows.column_names else "pad_score"
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)


def _positive(rows: pa.Table) -> NDArray[np.bool_]:
    mated = rows["mated"] if "mated" in rows.column_names else rows["species"].is_null()
    return np.asarray(mated.to_numpy(zero_copy_only=False), bool)
