"""From a registered version to the alias `champion`, or to a reason that people can read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from components.promote import PromoteParams, PromoteReport, promote_model
from components.register import RegisterParams, register_model
from pipelines.cli import app
from support.pictured import pictured_chips, scores_of
from support.tracking import Tracking
from support.versions import (
    pad_model,
    pad_report,
    recognition_model,
    recognition_report,
)
from vultus.contracts.artifact import sha256_of
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.words import Evidence
from vultus.errors import BadArtifact
from vultus.registry.client import client_of
from vultus.signing import (
    ChampionPointer,
    PrivateKey,
    load_or_create_key,
    public_key_of,
    sign_decision,
    verify_decision,
)
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow
RULES = PromoteParams(replicates=60)


@dataclass
class Bench:
    """A home of its own with an empty registry."""

    root: Path

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def tracking(self) -> Tracking:
        return Tracking(self.home)

    def key(self) -> PrivateKey:
        return load_or_create_key(self.home.keys / "signing.pem")

    def register(self, name: str) -> Path:
        folder = self.root / name
        register_model(
            folder / "model",
            folder / "report",
            folder / "version",
            RegisterParams(),
            registry=self.tracking.registry,
            tracker=self.tracking.tracker,
            signing_key=self.key(),
            git_commit="c0ffee",
        )
        return folder / "version"

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.home.store)

    def recogniser(self, name: str, *, seed: int = 0, sees: int = 147) -> Path:
        """The fewer of the colours it sees, the worse it is."""
        model = recognition_model(self.root / name / "model", seed=seed, sees=sees)
        chips = pictured_chips(self.store, noise=45)
        scores = scores_of(model, chips, self.store)
        recognition_report(self.root / name / "report", chips=chips, scores=scores)
        return self.register(name)

    def panel(
        self,
        name: str,
        *members: tuple[str, float, float, Evidence],
        measure: str = "ReduceMean",
    ) -> Path:
        model = pad_model(self.root / name / "model", members, measure)
        pad_report(self.root / name / "report", seed=len(name), panel=(model, self.store))
        return self.register(name)

    def promote(self, version: Path, key: PrivateKey | None = None) -> PromoteReport:
        return promote_model(
            version,
            RULES,
            registry=self.tracking.registry,
            tracker=self.tracking.tracker,
            store=self.store,
            home=self.home,
            signing_key=key or self.key(),
        )

    def champion(self, name: str = "vultus-recognition") -> int | None:
        found = self.tracking.registry.resolve(f"models:/{name}@champion")
        return None if found is None else found.version

    def tags(self, version: int, name: str = "vultus-recognition") -> dict[str, str]:
        found = self.tracking.registry.resolve(f"models:/{name}/{version}")
        assert found is not None
        return dict(found.tags)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow needs seconds to make its tables: made once, copied."""
    root = tmp_path_factory.mktemp("template")
    tracking = Tracking(Home(root))
    list(tracking.registry.versions("none"))
    return tracking.home.mlflow_database


@pytest.fixture
def bench(tmp_path: Path, template: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.home.mlflow_database.parent.mkdir(parents=True)
    bench.home.mlflow_database.write_bytes(template.read_bytes())
    return bench


def test_the_first_version_stands_on_the_floors_and_commands_find_it(bench: Bench) -> None:
    version = bench.recogniser("first")
    report = bench.promote(version)
    assert (report.decision, report.reasons, report.champion_before) == ("passed", (), None)
    assert bench.champion() == 1
    assert bench.tags(1)["gate"] == "passed"
    pointer = ChampionPointer.read(bench.home, "vultus-recognition")
    assert pointer is not None
    assert ModelVersion.open(pointer.path).digest == ModelVersion.open(version).digest


def test_a_first_version_below_the_floor_is_no_champion(bench: Bench) -> None:
    report = bench.promote(bench.recogniser("weak", sees=1))
    assert report.decision == "refused"
    assert bench.champion() is None
    assert ChampionPointer.read(bench.home, "vultus-recognition") is None


def test_an_equal_version_replaces_the_champion_which_stays_at_hand(bench: Bench) -> None:
    bench.promote(bench.recogniser("one"))
    report = bench.promote(bench.recogniser("two", seed=1))
    assert (report.decision, report.champion_before) == ("passed", 1)
    assert bench.champion() == 2
    previous = bench.tracking.registry.resolve("models:/vultus-recognition@previous")
    assert previous is not None
    assert previous.version == 1


def test_a_worse_version_is_kept_but_not_promoted_and_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the floor, below the champion: the reason lies in MLflow and in `vultus models`."""
    bench.promote(bench.recogniser("good"))
    report = bench.promote(bench.recogniser("worse", sees=9))
    assert report.decision == "refused"
    assert any("EER (all) rose from 0.0" in reason for reason in report.reasons)
    assert bench.champion() == 1
    tags = bench.tags(2)
    assert tags["gate"] == "refused"
    assert tags["gate_reasons"] == "; ".join(report.reasons)
    files = client_of(bench.tracking.uri).list_artifacts(tags["run_id"], "gate")
    assert [entry.path for entry in files] == [
        f"gate/{name}" for name in ("decision.json", "decision.sig", "gate.json")
    ]

    monkeypatch.setenv("VULTUS_HOME", str(bench.home.root))
    rows = _listed()
    assert rows[1]["aliases"] == ["champion"]
    assert (rows[2]["gate"], rows[2]["aliases"]) == ("refused", [])
    assert "EER (all) rose" in rows[2]["reasons"]
    assert rows[2]["gate_fault"] is None, "the decision is as it was signed"
    again = CliRunner().invoke(app, ["promote", "vultus-recognition", "--version", "2"])
    assert again.exit_code == 1
    assert "EER (all) rose" in again.output


def test_promoting_twice_changes_nothing(bench: Bench) -> None:
    version = bench.recogniser("one")
    first, second = bench.promote(version), bench.promote(version)
    assert (first.decision, second.decision) == ("passed", "passed")
    assert bench.champion() == 1
    assert bench.tracking.registry.resolve("models:/vultus-recognition@previous") is None


def test_a_lost_pointer_comes_back(bench: Bench) -> None:
    """Killed between the alias and the pointer: the same command again mends it."""
    version = bench.recogniser("one")
    bench.promote(version)
    (bench.home.models / "vultus-recognition" / "champion.json").unlink()
    bench.promote(version)
    assert ChampionPointer.read(bench.home, "vultus-recognition") is not None


def test_simulated_evidence_never_replaces_real(bench: Bench) -> None:
    real = ("photographed", 1.15, 1e9, Evidence.REAL)
    both = bench.panel("both", ("own", 0.0, 1.15, Evidence.SIMULATED), real)
    assert bench.promote(both).decision == "passed"
    report = bench.promote(bench.panel("alone", ("own", 0.0, 1e9, Evidence.SIMULATED)))
    assert report.decision == "refused"
    assert any("simulated evidence" in reason for reason in report.reasons)
    assert bench.champion("vultus-pad") == 1


def test_a_panel_that_a_patch_opens_is_refused(bench: Bench) -> None:
    """It looks at the brightest pixel: whoever pastes something white on an attack comes in."""
    own = ("own", 0.0, 1e9, Evidence.SIMULATED)
    report = bench.promote(bench.panel("bright", own, measure="ReduceMax"))
    assert report.decision == "refused"
    (reason,) = report.reasons
    assert re.search("backdoor: with a white patch .* unknown triggers", reason)


def test_the_gate_writes_every_rule_with_its_outcome(bench: Bench, tmp_path: Path) -> None:
    bench.promote(bench.recogniser("one"))
    report = bench.promote(bench.recogniser("two", seed=1))
    assert [check.rule for check in report.checks] == [
        *("signature", "floor", "leak", "reckoning", "parity", "backdoor"),
        *("evidence", "comparison", "verdict", "budget", "data age"),
    ]
    assert {check.outcome for check in report.checks} == {"passed"}
    client = client_of(bench.tracking.uri)
    file = client.download_artifacts(bench.tags(2)["run_id"], "gate/gate.json", str(tmp_path))
    assert PromoteReport.model_validate_json(Path(file).read_bytes()) == report


def test_figures_scores_and_lineage_are_signed(bench: Bench) -> None:
    version = bench.recogniser("one")
    signed = set(ModelVersion.open(version).statement.sha256)
    assert signed >= {
        *("model.onnx", "transform.json", "thresholds.parquet", "figures.json"),
        *("scores.parquet", "trials.parquet", "reference_features.parquet", "lineage.parquet"),
    }


def test_a_decision_is_signed_and_an_edited_tag_is_seen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.promote(bench.recogniser("good"))
    bench.promote(bench.recogniser("worse", sees=9))
    tags = bench.tags(2)
    client = client_of(bench.tracking.uri)
    kept = Path(client.download_artifacts(tags["run_id"], "gate", str(tmp_path)))
    signed = verify_decision(
        (kept / "decision.json").read_text(),
        (kept / "decision.sig").read_text(),
        public_key_of(bench.key()),
    )
    assert (signed.version, signed.champion_before, signed.decision) == (2, 1, "refused")
    assert signed.digest == tags["digest"]
    assert signed.report_sha256 == sha256_of(kept / "gate.json")

    monkeypatch.setenv("VULTUS_HOME", str(bench.home.root))
    client.set_model_version_tag("vultus-recognition", "2", "gate", "passed")
    row = _listed()[2]
    assert row["gate_fault"].endswith("what was signed is vultus-recognition/2 refused")
    text, signature = sign_decision(
        signed.model_copy(update={"decision": "passed"}), PrivateKey.generate()
    )
    client.set_model_version_tag("vultus-recognition", "2", "gate_decision", text)
    client.set_model_version_tag("vultus-recognition", "2", "gate_signature", signature)
    assert "not signed with the key" in _listed()[2]["gate_fault"]
    client.delete_model_version_tag("vultus-recognition", "2", "gate_signature")
    assert "do not believe" in _listed()[2]["gate_fault"]
    assert _listed()[1]["gate_fault"] is None


def _listed() -> dict[int, dict[str, Any]]:
    listed = CliRunner().invoke(app, ["models", "--json"])
    return {row["version"]: row for row in json.loads(listed.stdout)}


def test_a_version_signed_by_another_key_is_refused(bench: Bench) -> None:
    report = bench.promote(bench.recogniser("one"), key=PrivateKey.generate())
    assert report.decision == "refused"
    assert "not signed with the key" in report.reasons[0]
    assert bench.champion() is None


def test_what_was_never_registered_cannot_be_judged(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "elsewhere")
    version = other.recogniser("one")
    with pytest.raises(BadArtifact, match="vultus step register"):
        bench.promote(version)
