"""Where requirements stand, on trials whose counts are known by construction."""

from dataclasses import replace

import pyarrow as pa
import pytest

from vultus.contracts.evaluation import (
    LINEAGE,
    PAD_SCORES,
    RECOGNITION_SCORES,
    THRESHOLDS,
    Figure,
    short_digest,
)
from vultus.contracts.words import Verdict
from vultus.metrics.standards import ISO_PAD, NIST, PP_MODULE, Finding, Standing
from vultus.reports.standing import Observed, findings, overall


def table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    whole = [{name: row.get(name) for name in schema.names} for row in rows]
    return pa.Table.from_pylist(whole, schema=schema)


def recogniser(non_mated: int, false_matches: int, mated: int, missed: int) -> Observed:
    """Every trial between people of its own, so that trials are independent."""
    kinds = [(True, mated, missed), (False, non_mated, false_matches)]
    rows: list[dict[str, object]] = []
    people: list[dict[str, object]] = []
    for same, count, wrong in kinds:
        for number in range(count):
            a, b = (f"{2 * len(rows) + side:016x}".ljust(64, "0") for side in (0, 1))
            score = 0.9 if same is (number >= wrong) else 0.1
            rows.append(
                {
                    "a": a,
                    "b": b,
                    "mated": same,
                    "split": "test",
                    "slices": ["sex=female"],
                    "score": score,
                }
            )
            for name, owner in ((a, 2 * len(rows)), (b, 2 * len(rows) + (not same))):
                chip = short_digest(name)
                people.append(
                    {"split": "test", "subject": owner, "image": chip, "chip": chip, "context": chip,
                     "phash": chip, "simulated": False}
                )  # fmt: skip
    point = {"score": 0.5, "llr": 0.0, "fmr": 0.0, "fmr_high": 0.1}
    return Observed(
        [], table(rows, RECOGNITION_SCORES), table([point], THRESHOLDS), table(people, LINEAGE)
    )


def panel(simulated: bool, high: float, name: str = "apcer", low: float = 0.0) -> Observed:
    rows: list[dict[str, object]] = []
    people: list[dict[str, object]] = []
    for number in range(20):
        image = f"{number:016x}".ljust(64, "0")
        species = "print" if number % 2 else None
        rows.append(
            {"image": image, "box": [0.0] * 4, "species": species, "split": "test", "slices": [],
             "member": "panel", "pad_score": 0.5}
        )  # fmt: skip
        digest = short_digest(image)
        people.append(
            {"split": "test", "subject": number // 4, "image": digest, "chip": digest, "context": digest,
             "phash": digest, "simulated": simulated and species is not None, "species": species}
        )  # fmt: skip
    figures = [
        Figure(name=name, value=(low + high) / 2, low=low, high=high, n=10, slice="species=print"),
        Figure(name="bpcer", value=0.1, low=0.0, high=0.3, n=10),
    ]
    return Observed(figures, table(rows, PAD_SCORES), table([], THRESHOLDS), table(people, LINEAGE))


def standing(found: list[Finding], standard: str, words: str) -> Standing:
    (one,) = [f for f in found if f.standard == standard and words in f.requirement]
    return one.standing


@pytest.mark.parametrize(
    ("non_mated", "false_matches", "said"),
    # Rule of 3: 30,000 without error; Clopper-Pearson asks 36,887, and the wider of the two counts.
    [(36_887, 0, Standing.PASS), (36_886, 0, Standing.NOT_ENOUGH_DATA), (2_000, 40, Standing.FAIL)],
)
def test_the_upper_bound_of_the_fmr_counts(
    non_mated: int, false_matches: int, said: Standing
) -> None:
    found = findings(recogniser(non_mated, false_matches, mated=400, missed=2))
    assert standing(found, PP_MODULE, "FAR") is said
    assert standing(found, NIST, "FMR") is said
    assert standing(found, PP_MODULE, "FRR") is Standing.PASS
    assert standing(found, PP_MODULE, "15 %") is Standing.NOT_JUDGED


@pytest.mark.parametrize(("high", "said"), [(8e-5, "pass"), (3e-4, "not_enough_data")])
def test_the_fmr_over_all_comparisons_counts_where_the_scores_list_a_draw(
    high: float, said: str
) -> None:
    listed = recogniser(500, 0, mated=100, missed=0)
    whole = Figure(name="realised_fmr_1e-4", value=2e-5, low=1e-6, high=high, n=1_000_000)
    found = findings(replace(listed, figures=[whole]))
    assert standing(found, PP_MODULE, "FAR") is Standing(said)
    (far,) = [f for f in found if f.standard == PP_MODULE and "FAR" in f.requirement]
    assert "20 of 1,000,000" in far.found


def test_a_missed_requirement_says_how_many_trials_could_decide() -> None:
    found = findings(recogniser(500, 0, mated=100, missed=0))
    (far,) = [f for f in found if f.standard == PP_MODULE and "FAR" in f.requirement]
    assert "30,000" in far.needed
    assert "36,887" in far.needed
    assert overall(found) is Verdict.NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("simulated", "name", "low", "high", "said"),
    [
        (False, "apcer", 0.0, 0.1, Standing.PASS),
        (True, "apcer", 0.0, 0.1, Standing.NOT_ENOUGH_DATA),  # simulated never passes
        (False, "apcer", 0.3, 0.6, Standing.NOT_ENOUGH_DATA),  # an APCER alone never fails
        (False, "iapar", 0.3, 0.6, Standing.FAIL),
        (True, "iapar", 0.3, 0.6, Standing.FAIL),  # what fails simulated ones fails
        (True, "iapar", 0.0, 0.1, Standing.NOT_ENOUGH_DATA),
    ],
)
def test_simulated_attacks_cannot_pass_a_requirement_on_real_ones(
    simulated: bool, name: str, low: float, high: float, said: Standing
) -> None:
    found = findings(panel(simulated, high, name, low))
    assert standing(found, PP_MODULE, "15 %") is said
    if simulated:
        (one,) = [f for f in found if f.standard == NIST and "IAPAR" in f.requirement]
        assert "Simulated attacks" in one.why


def test_reporting_items_are_reported_or_missing() -> None:
    items = {f.requirement: f for f in findings(panel(True, 0.1)) if f.standard == ISO_PAD}
    assert items["subjects behind attack presentations"].found == "5"
    assert items["presentations of each species"].found == "print 10"
    assert items["how the instruments were made"].found == "10 simulated"
    assert items["capture devices"].standing is Standing.MISSING
    assert items["RIAPAR"].standing is Standing.MISSING
    assert items["BPCER at the same thresholds"].standing is Standing.REPORTED


def test_operation_is_never_judged() -> None:
    found = findings(panel(False, 0.01))
    operation = [f for f in found if f.why.startswith("operation")]
    assert len(operation) == 5
    assert {f.standing for f in operation} == {Standing.NOT_JUDGED}
