"""By URL, file and registry: cut downloads go on, wrong files are refused and not kept."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from support.flaky_http import flaky
from support.journey import PromotedHome
from vultus.contracts.artifact import sha256_of
from vultus.contracts.home import Home
from vultus.errors import BadParameter, WeightsUnavailable
from vultus.weights import available, entries, fetch, table, verify

CONTENT = os.urandom(1 << 16) * 8
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def _own(folder: Path, name: str = "mine", **changes: object) -> Path:
    """The weights folder with one row of the user's."""
    row: dict[str, object] = {
        "title": "drawn", "route": "url", "file": "weights.bin", "archive_sha256": SHA256,
        "licence": "CC0-1.0", "training_data": "none", "input": "none", **changes,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in row.items() if value is not None]
    (folder / "own.toml").write_text("\n".join([f"[{name}]", *lines]))
    return folder


def _kept(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {"own.toml"}


@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        ([], [None]),
        (["cut"], [None, f"bytes={len(CONTENT) // 2}-"]),
        (["503"], [None, None]),
        (["redirect"], [None, None]),
        (["cut", "no_range"], [None, f"bytes={len(CONTENT) // 2}-"]),
    ],
    ids=["well", "cut", "503", "redirect", "server without ranges"],
)
def test_a_file_arrives_whatever_the_network_does(
    faults: list[str], ranges: list[str | None], tmp_path: Path
) -> None:
    with flaky(CONTENT, *faults) as server:
        folder = _own(tmp_path / "weights", uri=server.url)
        assert fetch("mine", folder).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ranges
    assert available("mine", folder) == folder / "weights.bin"
    assert _kept(folder) == {"weights.bin", "weights.bin.json"}


def test_what_had_arrived_is_not_fetched_again_by_the_next_call(tmp_path: Path) -> None:
    with flaky(CONTENT, "cut", "404") as server:
        folder = _own(tmp_path / "weights", uri=server.url)
        with pytest.raises(WeightsUnavailable, match="404"):
            fetch("mine", folder)
        assert available("mine", folder) is None
        fetch("mine", folder)
    assert server.asked[-1][1] == f"bytes={len(CONTENT) // 2}-"


def test_a_file_of_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    with flaky(CONTENT[:-1] + b"!") as server:
        folder = _own(tmp_path / "weights", uri=server.url)
        with pytest.raises(WeightsUnavailable, match=f"expected {SHA256}.*do not use it"):
            fetch("mine", folder)
    assert _kept(folder) == set()


def test_more_than_the_table_says_is_cut_off(tmp_path: Path) -> None:
    with flaky(CONTENT) as server:
        folder = _own(tmp_path / "weights", uri=server.url, bytes=1000)
        with pytest.raises(WeightsUnavailable, match="more than the 1,000 bytes"):
            fetch("mine", folder)
    assert _kept(folder) == set()


def test_first_digits_are_held_against_then_the_whole_hash_is_pinned(tmp_path: Path) -> None:
    with flaky(CONTENT) as server:
        folder = _own(
            tmp_path / "weights", uri=server.url, archive_sha256=None, sha256_prefix=SHA256[:8]
        )
        fetch("mine", folder)
        receipt = folder / "weights.bin.json"
        said = json.loads(receipt.read_text())
        assert said["archive_sha256"] == SHA256
        # As if the first fetch had seen another file with the same eight digits.
        receipt.write_text(json.dumps({**said, "archive_sha256": SHA256[:8] + "0" * 56}))
        with pytest.raises(WeightsUnavailable, match=f"expected {SHA256[:8]}0000"):
            fetch("mine", folder)
        _own(folder, uri=server.url, archive_sha256=None, sha256_prefix="00000000")
        assert available("mine", folder) is None
        receipt.unlink()
        with pytest.raises(WeightsUnavailable, match="expected 0000"):
            fetch("mine", folder)


def test_a_row_that_cannot_be_verified_or_takes_our_name_is_refused(tmp_path: Path) -> None:
    folder = _own(tmp_path / "weights", uri="https://x.test/w", archive_sha256=None)
    with pytest.raises(BadParameter, match="cannot be verified"):
        table(folder)
    _own(folder, "sface", uri="https://x.test/w")
    with pytest.raises(BadParameter, match="sface is a name of ours"):
        table(folder)
    _own(folder, file="sface.onnx", uri="https://x.test/w")
    with pytest.raises(BadParameter, match="both keep the file sface"):
        table(folder)


@pytest.mark.parametrize("form", ["uri", "relative"])
def test_a_file_of_ones_own_is_copied_and_verified(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    source = tmp_path / "a file.bin"
    source.write_bytes(CONTENT)
    _own(folder, route="file", uri=source.as_uri() if form == "uri" else "../a file.bin")
    assert fetch("mine", folder).read_bytes() == CONTENT
    source.write_bytes(b"other")
    with pytest.raises(WeightsUnavailable, match="expected"):
        fetch("mine", folder)
    assert available("mine", folder) is not None


def test_verify_finds_what_size_and_time_hide(tmp_path: Path) -> None:
    (tmp_path / "source.bin").write_bytes(CONTENT)
    folder = _own(tmp_path / "weights", route="file", uri=(tmp_path / "source.bin").as_uri())
    assert verify("mine", folder) is None
    file = fetch("mine", folder)
    assert verify("mine", folder) is None
    status = file.stat()
    file.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert available("mine", folder) == file, "size and time alone say nothing"
    assert "when it was fetched" in str(verify("mine", folder))
    done = CliRunner().invoke(
        app, ["weights", "verify", "--json", "mine"], env={"VULTUS_HOME": str(tmp_path)}
    )
    assert done.exit_code == 1
    assert json.loads(done.stdout)[0]["state"] == "wrong"


@pytest.mark.slow
def test_a_registered_version_is_a_source(promoted: PromotedHome, tmp_path: Path) -> None:
    from vultus.registry import registry_from
    from vultus.settings import TrackingSettings

    registry = registry_from(TrackingSettings(), Home(promoted.root))
    version = registry.resolve("models:/vultus-recognition@champion")
    assert version is not None
    copy = registry.fetch(version, tmp_path / "models")
    uri = f"models:/vultus-recognition/{version.version}"
    folder = _own(
        tmp_path / "weights", route="mlflow", uri=uri, member="model.onnx", file="mine.onnx",
        archive_sha256=sha256_of(copy / "model.onnx"),
    )  # fmt: skip

    def opened(asked: str) -> Path:
        found = registry.resolve(asked)
        assert found is not None
        return registry.fetch(found, tmp_path / "models")

    assert fetch("mine", folder, opened).read_bytes() == (copy / "model.onnx").read_bytes()
    with pytest.raises(WeightsUnavailable, match="vultus weights fetch"):
        fetch("mine", folder)


def test_every_row_says_what_one_must_know() -> None:
    for name, row in entries().items():
        assert row.licence, name
        assert row.training_data, name
        assert row.input, name
        assert row.route == "installed" or row.hash_known, name
        assert not row.uri or row.uri.startswith("https://"), name


def test_list_names_licence_data_and_what_is_not_here(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["weights", "list", "--json"], env={"VULTUS_HOME": str(tmp_path)}
    )
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["minifasnet-v2"]["evidence"] == "real"
    assert rows["facenet-vggface2"]["state"] == "not here"
    assert rows["facenet-vggface2"]["bytes"] == 111_898_327
    assert "8738ca79" in rows["mobilenet-v3-large-imagenet"]["hash"]
