"""A real MLflow keeps versions, aliases and tags; server and plain SQLite file behave alike."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.tracking import Tracking, nowhere
from support.versions import recognition_model
from vultus.contracts.artifact import sha256_of
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion, OnnxModel
from vultus.errors import BadArtifact, BadParameter, TrackingUnavailable
from vultus.registry import MlflowRegistry, MlflowServer

pytestmark = pytest.mark.slow


def folder_of(place: Path, seed: int = 0) -> Path:
    """A ModelVersion with one network in it; another seed is another content."""
    model = OnnxModel.open(recognition_model(place / "onnx", seed=seed))

    def fill(out: Path) -> None:
        for name in model.manifest.sha256:
            (out / name).write_bytes((model.path / name).read_bytes())

    ModelVersion.create(place / "version", fill, made_by="test", facts={})
    return place / "version"


def register(tracking: Tracking, name: str, folder: Path, **tags: str) -> int:
    with tracking.tracker.run("tests", "register") as run:
        return tracking.registry.register(name, folder, run_id=run.run_id, tags=tags).version


def test_versions_count_up_and_keep_their_tags(tracking: Tracking, tmp_path: Path) -> None:
    first = register(tracking, "counting", folder_of(tmp_path / "a", 1), note="one")
    second = register(tracking, "counting", folder_of(tmp_path / "b", 2), note="two")
    assert second == first + 1
    found = list(tracking.registry.versions("counting"))
    assert [version.version for version in found] == [second, first]
    assert [version.tags["note"] for version in found] == ["two", "one"]
    assert list(tracking.registry.versions("never heard of")) == []


def test_the_same_content_is_the_version_it_already_is(tracking: Tracking, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 3)
    assert register(tracking, "twice", folder) == register(tracking, "twice", folder)
    assert len(list(tracking.registry.versions("twice"))) == 1


def test_an_alias_moves_and_is_found_by_name(tracking: Tracking, tmp_path: Path) -> None:
    registry = tracking.registry
    for seed in (4, 5):
        register(tracking, "aliased", folder_of(tmp_path / str(seed), seed))
    newest, older = registry.versions("aliased")
    assert registry.resolve("models:/aliased@champion") is None
    registry.set_alias(older, "champion")
    registry.set_alias(older, "canary")
    found = registry.resolve("models:/aliased@champion")
    assert found is not None
    assert found.version == older.version
    assert found.aliases == ("canary", "champion")
    registry.set_alias(newest, "champion")
    moved = registry.resolve("models:/aliased@champion")
    assert moved is not None
    assert moved.version == newest.version
    by_number = registry.resolve(f"models:/aliased/{older.version}")
    assert by_number is not None
    assert by_number.aliases == ("canary",)
    assert registry.resolve("models:/aliased/999") is None


@pytest.mark.parametrize("uri", ["aliased", "models:/aliased", "models:/a@", "runs:/x/model", ""])
def test_what_is_no_model_uri_is_refused(mlflow_file: Tracking, uri: str) -> None:
    with pytest.raises(BadParameter, match="models:/name@alias"):
        mlflow_file.registry.resolve(uri)


def test_what_is_fetched_is_what_was_registered(tracking: Tracking, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "made", 6)
    register(tracking, "fetched", folder)
    (version,) = tracking.registry.versions("fetched")
    got = tracking.registry.fetch(version, tmp_path / "models")
    assert got == tmp_path / "models" / "fetched" / "1"
    assert ModelVersion.open(got).digest == ModelVersion.open(folder).digest
    assert tracking.registry.fetch(version, tmp_path / "models") == got
    assert [f.name for f in got.parent.iterdir()] == ["1"]


def test_a_copy_that_was_changed_is_not_handed_out(tracking: Tracking, tmp_path: Path) -> None:
    register(tracking, "changed", folder_of(tmp_path / "made", 7))
    (version,) = tracking.registry.versions("changed")
    got = tracking.registry.fetch(version, tmp_path / "models")
    (got / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BadArtifact, match="cut or changed"):
        tracking.registry.fetch(version, tmp_path / "models")


def test_an_unfinished_folder_is_not_registered(tracking: Tracking, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 8)
    (folder / "model.onnx").unlink()
    with pytest.raises(BadArtifact, match="missing"):
        register(tracking, "unfinished", folder)
    assert list(tracking.registry.versions("unfinished")) == []


def test_a_tag_is_changed_and_a_long_one_is_cut(tracking: Tracking, tmp_path: Path) -> None:
    register(tracking, "tagged", folder_of(tmp_path, 9), gate="waiting")
    (version,) = tracking.registry.versions("tagged")
    tracking.registry.tag(version, {"gate": "refused", "gate_reasons": "x" * 9000})
    (again,) = tracking.registry.versions("tagged")
    assert again.tags["gate"] == "refused"
    assert 4000 < len(again.tags["gate_reasons"]) <= 5000


def test_a_run_keeps_params_metrics_and_files(tracking: Tracking, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<p>")
    with tracking.tracker.run("kept", "train") as run:
        run.log_params({f"p{n}": n for n in range(150)})
        run.log_metrics({"loss": 2.0}, step=0)
    with tracking.tracker.run("kept", "train", run_id=run.run_id) as again:
        again.log_params({"p0": "a parameter stays what it was", "new": 1})
        again.log_metrics({"loss": 1.0}, step=1)
        again.log_file(file, "evaluation")
    assert again.run_id == run.run_id
    data = _client(tracking).get_run(run.run_id).data
    assert (data.params["p0"], data.params["p149"], data.params["new"]) == ("0", "149", "1")
    history = _client(tracking).get_metric_history(run.run_id, "loss")
    assert [entry.value for entry in history] == [2.0, 1.0]
    assert _client(tracking).get_run(run.run_id).info.status == "FINISHED"


def test_a_run_that_breaks_is_marked_failed(tracking: Tracking) -> None:
    with pytest.raises(ZeroDivisionError), tracking.tracker.run("broken", "train") as run:
        raise ZeroDivisionError
    assert _client(tracking).get_run(run.run_id).info.status == "FAILED"


@pytest.mark.parametrize("run_id", ["0" * 32, "not an id"])
def test_a_run_nobody_knows_is_replaced_by_a_new_one(tracking: Tracking, run_id: str) -> None:
    with tracking.tracker.run("lost", "register", run_id=run_id) as run:
        run.log_metrics({"eer": 0.1})
    assert run.run_id != run_id
    assert _client(tracking).get_run(run.run_id).info.status == "FINISHED"


def test_what_a_server_registered_is_read_without_it(
    mlflow_server: Tracking, tmp_path: Path
) -> None:
    register(mlflow_server, "both", folder_of(tmp_path / "made", 10))
    (version,) = mlflow_server.registry.versions("both")
    mlflow_server.registry.set_alias(version, "champion")
    plain = MlflowRegistry(f"sqlite:///{mlflow_server.home.mlflow_database}")
    found = plain.resolve("models:/both@champion")
    assert found is not None
    got = plain.fetch(found, tmp_path / "models")
    assert sha256_of(got / "model.onnx") == sha256_of(tmp_path / "made" / "onnx" / "model.onnx")


def test_the_server_shows_its_page_and_api(mlflow_server: Tracking, tmp_path: Path) -> None:
    register(mlflow_server, "shown", folder_of(tmp_path, 11))
    with urllib.request.urlopen(mlflow_server.uri, timeout=20) as page:
        assert b"<title>MLflow</title>" in page.read()
    asked = f"{mlflow_server.uri}/api/2.0/mlflow/registered-models/get?name=shown"
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert json.load(answer)["registered_model"]["name"] == "shown"


@pytest.mark.parametrize(
    "act",
    [
        lambda t: list(t.registry.versions("x")),
        lambda t: t.registry.resolve("models:/x@champion"),
        lambda t: t.tracker.run("x", "train").__enter__(),
    ],
)
def test_a_server_that_is_down_is_named_with_what_to_do(
    act: Callable[[Tracking], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingUnavailable, match=r"127\.0\.0\.1:9 refuses.*vultus ui"):
        act(nowhere(tmp_path))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.mlflow_database.parent.mkdir(parents=True)
    home.mlflow_database.write_bytes(b"this is no database" * 100)
    with pytest.raises(TrackingUnavailable, match=r"mlflow\.db"):
        list(Tracking(home).registry.versions("x"))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.mlflow_database.parent.mkdir(parents=True)
    home.mlflow_database.write_bytes(b"this is no database" * 100)
    server = MlflowServer(home)
    server.start()
    with pytest.raises(TrackingUnavailable, match="did not start"):
        server.wait()
    server.stop()


def test_stopping_twice_is_harmless_and_leaves_no_process(tmp_path: Path) -> None:
    server = MlflowServer(Home(tmp_path))
    server.stop()
    server.stop()


def _client(tracking: Tracking) -> Any:
    from vultus.registry.client import client_of

    return client_of(tracking.uri)
