"""Old subjects never move, new ones even things out, and luck can be measured."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest import IngestParams, ingest_faces
from components.ingest.strata import (
    Shares,
    balance,
    deal_splits,
    read_splits,
    splits_for,
    strata_of,
    write_splits,
)
from support.faces_on_disk import write_people
from support.heads import weights_folder
from vultus.contracts.faces import FACE_SCHEMA, RawFaces
from vultus.contracts.words import Split
from vultus.errors import BadParameter
from vultus.storage import FolderStore

SHARES = Shares(0, 0.25, 0.25)


def people(count: int, seed: int = 0) -> tuple[dict[str, str], dict[str, str]]:
    """Names and strata of that many subjects; the first ones are the same for every count."""
    names = {f"p{number}": f"name-{number}" for number in range(count)}
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["a", "b", "c"], count, p=[0.7, 0.25, 0.05]).tolist()
    return names, dict(zip(names, kinds, strict=True))


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 5))
def test_nobody_changes_split_when_the_source_grows(old: int, new: int, seed: int) -> None:
    names, strata = people(old + new)
    first = {one: names[one] for one in list(names)[:old]}
    hashed = deal_splits(first, SHARES, strata=strata)
    assert deal_splits(names, SHARES, strata=strata).items() >= hashed.items()
    other_seed = Shares(seed, 0.25, 0.25)
    grown = deal_splits(names, other_seed, strata=strata, earlier=hashed)
    assert grown.items() >= hashed.items()
    assert set(grown) == set(names)


def test_new_subjects_are_dealt_evenly_within_each_stratum() -> None:
    names, strata = people(400)
    first = {one: names[one] for one in list(names)[:20]}
    start = deal_splits(first, SHARES, strata=strata)
    grown = deal_splits(names, SHARES, strata=strata, earlier=start)
    for stratum in "abc":
        members = [one for one in names if strata[one] == stratum]
        for split, share in ((Split.TRAIN, 0.5), (Split.VALIDATION, 0.25), (Split.TEST, 0.25)):
            seen = sum(grown[one] is split for one in members)
            assert seen == pytest.approx(share * len(members), abs=2)


def test_lonely_strata_do_not_all_go_to_one_split() -> None:
    names, _ = people(40)
    dealt = deal_splits(names, SHARES, strata={one: one for one in names}, earlier={})
    assert [list(dealt.values()).count(split) for split in Split] == [20, 10, 10]


def test_the_order_in_which_subjects_come_changes_nothing() -> None:
    names, strata = people(50)
    backwards = dict(reversed(names.items()))
    one, other = (deal_splits(n, SHARES, strata=strata, earlier={}) for n in (names, backwards))
    assert one == other


def test_a_stratum_is_the_usual_value_and_the_captured_species() -> None:
    def row(
        subject: str, sex: str | None, species: str | None, simulated: bool
    ) -> dict[str, object]:
        attributes = [("sex", sex)] if sex else []
        return {
            "subject": subject,
            "attributes": attributes,
            "species": species,
            "simulated": simulated,
        }

    rows = [
        row("anna", "female", None, False),
        row("anna", "male", None, False),
        row("anna", "female", "replay", False),
        row("anna", "female", "mask", True),
        row("emil", None, None, False),
    ]
    names = ("subject", "attributes", "species", "simulated")
    schema = pa.schema([FACE_SCHEMA.field(name) for name in names])
    pieces = [pa.Table.from_pylist(rows[:2], schema), pa.Table.from_pylist(rows[2:], schema)]
    assert strata_of(pieces, ["sex"]) == {"anna": "sex=female replay", "emil": "sex=not declared"}


def test_a_lucky_seed_is_more_even_and_chance_is_about_one() -> None:
    names, strata = people(300)
    seeds = [balance(names, Shares(seed, 0.25, 0.25), strata) for seed in (7, 8, 9)]
    best = seeds[0]
    assert {(one.best_seed, one.best_imbalance) for one in seeds} == {
        (best.best_seed, best.best_imbalance)
    }
    assert best.best_imbalance < 0.2
    assert all(one.imbalance >= best.best_imbalance for one in seeds)
    chosen = balance(names, Shares(best.best_seed, 0.25, 0.25), strata)
    assert chosen.imbalance == best.best_imbalance


def test_who_went_away_and_comes_back_finds_the_old_split(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    names, _ = people(30)
    kept = {one: names[one] for one in list(names)[:10]}

    def dealt(subjects: dict[str, str], splits_from: str | None, seed: int) -> tuple[dict, str]:
        made = splits_for(
            subjects,
            [],
            Shares(seed, 0.25, 0.25),
            stratify_by=(),
            splits_from=splits_from,
            store=store,
        )
        return made.splits, made.sha256

    first, one = dealt(names, None, 0)
    _, two = dealt(kept, one, 1)
    third, _ = dealt(names, two, 2)
    assert third == first


def test_what_is_no_table_of_splits_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(BadParameter, match="splits_sha256"):
        read_splits(store.put(b"\xff\xd8 a picture"), store)
    with pytest.raises(BadParameter, match="splits_sha256"):
        read_splits(store.put(b"anna,holiday\n"), store)
    foreign = write_splits({"somebody": Split.TEST}, store)
    with pytest.raises(BadParameter, match="knows none"):
        deal_splits({"a": "b"}, SHARES, strata={}, earlier=read_splits(foreign, store))


@pytest.mark.slow
def test_ingest_goes_on_from_an_earlier_version(tmp_path: Path) -> None:
    def ingested(count: int, out: str, **params: object) -> RawFaces:
        root = write_people(tmp_path / f"people-{out}", people=count, images=2)
        plain = dict.fromkeys(
            ("print_share", "replay_share", "mask_share", "recapture_share", "tight_share"), 0
        )
        ingest_faces(
            tmp_path / out,
            IngestParams.model_validate({"source": str(root), **plain, **params}),
            store=FolderStore(tmp_path / "store"),
            pseudonym_key=b"k" * 32,
            weights=weights_folder(),
            journals=tmp_path / "ingest",
        )
        return RawFaces.open(tmp_path / out)

    def splits(raw: RawFaces) -> dict[str, str]:
        return dict(
            zip(*(raw.faces[name].to_pylist() for name in ("subject", "split")), strict=True)
        )

    old = ingested(4, "old")
    splits_from = old.manifest.facts["splits_sha256"]
    new = ingested(12, "new", split_seed=3, splits_from=splits_from)
    assert splits(new).items() >= splits(old).items()
    fresh = ingested(12, "fresh", split_seed=3)
    assert splits(fresh) != splits(new)
    assert fresh.manifest.facts["balance"] is None  # nothing is declared that could be balanced
