"""The ML engineer: submits runs, reads what moved."""

import json
import re

import pytest

from support.journey import SOURCE, PromotedHome
from vultus.contracts.home import Home
from vultus.registry import MlflowRegistry
from vultus.registry.choice import sqlite_uri

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
CHEAP = ("ingest", "crop", "validate")
CACHEABLE = (*CHEAP, "train", "evaluate", "export")


def _states(screen: str, title: str) -> dict[str, str]:
    """Step -> done or cached, of the run with this title."""
    part = re.split(rf"^{re.escape(title)}\n", screen, maxsplit=1, flags=re.MULTILINE)[1]
    lines = (re.match(r"  (\w+) +(done|cached|failed) ", line) for line in part.splitlines())
    states: dict[str, str] = {}
    for found in filter(None, lines):
        if found[1] in states:
            break  # the next run begins
        states[found[1]] = found[2]
    return states


def test_the_first_run_ends_with_one_screen(promoted: PromotedHome) -> None:
    screen = promoted.screen
    assert "vultus-recognition/2" in screen
    assert "vultus-pad/1" in screen
    assert "Served by KServe" in screen
    assert "report.html" in screen
    assert "vultus serve" in screen
    documents = sorted((promoted.root.parent / "reports").glob("*-vultus-recognition"))
    for name in (
        "report.html",
        "report.pdf",
        "data.html",
        "data.pdf",
        "run.log",
        "data_docs/index.html",
    ):
        assert (documents[-1] / name).stat().st_size > 500


def test_mlflow_holds_both_champions_with_their_lineage(promoted: PromotedHome) -> None:
    registry = MlflowRegistry(sqlite_uri(Home(promoted.root)))
    for name in ("vultus-recognition", "vultus-pad"):
        champion = registry.resolve(f"models:/{name}@champion")
        assert champion is not None
        assert champion.run_id == champion.tags["run_id"]
        assert re.fullmatch(r"[0-9a-f]{64}", champion.tags["data_sha256"])
        assert champion.tags["git_commit"]
        assert champion.tags["gate"] == "passed"


def test_the_same_run_again_does_no_step_twice(promoted: PromotedHome) -> None:
    said = promoted.run()
    assert said.code == 0, said.out + said.err
    for title in ("recognition", "liveness"):
        states = _states(said.out, title)
        assert {states[step] for step in CACHEABLE} == {"cached"}
    assert "not done again" in said.out


def test_one_changed_parameter_runs_only_what_depends_on_it(promoted: PromotedHome) -> None:
    said = promoted.vultus(
        "run", "recognition", "--set", f"source={SOURCE}", "--set", "train.epochs=4",
    )  # fmt: skip
    assert said.code == 0, said.out + said.err
    states = _states(said.out, "recognition")
    assert {states[step] for step in CHEAP} == {"cached"}
    assert {states[step] for step in ("train", "evaluate", "export")} == {"done"}


def test_a_wrong_parameter_is_said_before_anything_runs(promoted: PromotedHome) -> None:
    said = promoted.run("train.epochs=many")
    assert said.code == 1
    assert "train.epochs" in said.err
    assert "many" in said.err


def test_models_can_be_read_by_a_script(promoted: PromotedHome) -> None:
    rows = json.loads(promoted.vultus("models", "--json").out)
    champions = {row["model"] for row in rows if "champion" in row["aliases"]}
    assert champions == {"vultus-recognition", "vultus-pad"}
