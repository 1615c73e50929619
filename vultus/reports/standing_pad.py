"""ISO/IEC 30107-3: which items of a PAD test's report this evaluation states, and which it lacks."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vultus.contracts.evaluation import Figure, short_digest
from vultus.contracts.words import Split
from vultus.metrics import clopper_pearson
from vultus.metrics.standards import ISO_PAD, Finding, Standing

_PANEL = "panel"


def iso_items(figures: Sequence[Figure], scores: pa.Table, lineage: pa.Table) -> list[Finding]:
    """Each item with what is reported of it, or missing."""
    return [*_presentations(scores, lineage), *_responses(figures, scores)]


def _presentations(scores: pa.Table, lineage: pa.Table) -> Iterator[Finding]:
    """Clause 7: who and what was presented."""
    rows = _panel_rows(scores)
    species = [name or "" for name in rows["species"].to_pylist()]
    owner = dict(zip(*(lineage[n].to_pylist() for n in ("context", "subject")), strict=True))
    people = [owner.get(short_digest(name)) for name in rows["image"].to_pylist()]
    attack = np.array([name != "" for name in species], bool)
    kinds = sorted(set(species) - {""})
    of_test = pc.and_(lineage["species"].is_valid(), pc.equal(lineage["split"], Split.TEST.value))
    simulated = sum(lineage.filter(of_test)["simulated"].to_pylist())
    yield _item("7", "PAI species", ", ".join(kinds))
    counts = ", ".join(f"{kind} {species.count(kind):,}" for kind in kinds)
    yield _item("7", "presentations of each species", counts)
    yield _item("7", "subjects behind attack presentations", _people(people, attack))
    yield _item("7", "subjects of bona fide presentations", _people(people, ~attack))
    live = int((~attack).sum())
    yield _item("7", "bona fide presentations", f"{live:,}" if live else "")
    yield _item(
        "7",
        "how the instruments were made",
        f"{simulated:,} simulated" if simulated else "",
        "simulations say what was simulated, not who printed or built what",
    )
    yield _item(
        "7", "artefacts and series of each species", "", "the data name no artefact and no series"
    )
    yield _item(
        "7", "capture devices", "", "the pictures' sources are named, their cameras are not"
    )


def _responses(figures: Sequence[Figure], scores: pa.Table) -> Iterator[Finding]:
    """Clause 13: what the detector, and the system, made of them."""
    rows = _panel_rows(scores)
    silent = np.isnan(rows["pad_score"].to_numpy().astype(np.float64))
    attack = np.asarray(rows["species"].is_valid().to_numpy(zero_copy_only=False), bool)
    apcer = [
        f"{f.slice.removeprefix('species=')} {100 * f.value:.3g} %"
        for f in figures
        if f.name == "apcer" and f.slice.startswith("species=") and f.value is not None
    ]
    yield _item("13", "APCER of each species", ", ".join(apcer))
    yield _item("13", "BPCER at the same thresholds", _rate(figures, "bpcer"))
    fixed = [
        f"at {percent} %: {rate}"
        for percent in (1, 5, 10)
        if (rate := _rate(figures, f"bpcer_at_apcer_{percent}"))
    ]
    yield _item("13", "BPCER at a fixed APCER", "; ".join(fixed))
    for keep, name in ((attack, "attack"), (~attack, "bona fide")):
        short = "APNRR" if name == "attack" else "BPNRR"
        yield _item(
            "13", f"{name} presentations without a response ({short})", _share(silent[keep])
        )
    yield _item("13.4", "IAPAR of PAD and comparison together", _rate(figures, "iapar"))
    yield _item("13.4", "RIAPAR", _rate(figures, "riapar"))


def _panel_rows(scores: pa.Table) -> pa.Table:
    of_test = pc.equal(scores["split"], Split.TEST.value)
    return scores.filter(pc.and_(of_test, pc.equal(scores["member"], _PANEL)))


def _item(clause: str, text: str, found: str, why: str = "") -> Finding:
    standing = Standing.REPORTED if found else Standing.MISSING
    return Finding(ISO_PAD, clause, text, standing, found, why=why)


def _people(people: Sequence[object], keep: np.ndarray) -> str:
    known = {one for one, inside in zip(people, keep, strict=True) if inside and one is not None}
    return f"{len(known):,}" if known else ""


def _share(silent: np.ndarray) -> str:
    if not len(silent):
        return ""
    low, high = clopper_pearson(int(silent.sum()), len(silent))
    return f"{100 * silent.mean():.3g} % ({100 * low:.3g}–{100 * high:.3g} %), n {len(silent):,}"


def _rate(figures: Sequence[Figure], name: str) -> str:
    found = next((f for f in figures if f.name == name and f.slice == "all"), None)
    if found is None or found.value is None:
        return ""
    known = found.low is not None and found.high is not None
    interval = f" ({100 * (found.low or 0):.3g}–{100 * (found.high or 0):.3g} %)" if known else ""
    return f"{100 * found.value:.3g} %{interval}, n {found.n:,}"
