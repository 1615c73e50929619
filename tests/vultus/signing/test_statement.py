"""A signature holds for exactly the files that were signed, or not at all."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vultus.contracts.home import Home
from vultus.errors import BadParameter, BadSignature
from vultus.signing import (
    ChampionPointer,
    PrivateKey,
    load_or_create_key,
    private_key_of,
    public_key_of,
    sign_version,
    verify_version,
)

KEY = PrivateKey.generate()


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    folder = tmp_path / "version"
    (folder / "members").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"weights" * 100)
    (folder / "members" / "own.onnx").write_bytes(b"more weights")
    (folder / "transform.json").write_text("{}")
    sign_version(
        folder, KEY, name="vultus-pad", data_sha256="d" * 64, git_commit="c0ffee", run_id="r1"
    )
    return folder


def test_what_was_signed_holds_and_names_its_origin(signed: Path) -> None:
    statement = verify_version(signed, public_key_of(KEY))
    assert set(statement.sha256) == {"model.onnx", "members/own.onnx", "transform.json"}
    assert (statement.name, statement.git_commit, statement.run_id) == (
        "vultus-pad",
        "c0ffee",
        "r1",
    )


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: _flip(f / "model.onnx"), "model.onnx is not the file"),
        (lambda f: _flip(f / "members" / "own.onnx"), r"own\.onnx is not the file"),
        (lambda f: _flip(f / "statement.json"), "not signed with the key"),
        (lambda f: _flip(f / "statement.sig"), "not signed with the key"),
        (lambda f: (f / "statement.sig").write_bytes(b""), "not signed with the key"),
        (lambda f: (f / "statement.sig").unlink(), "no signed statement"),
        (lambda f: (f / "statement.json").unlink(), "no signed statement"),
        (lambda f: (f / "transform.json").unlink(), "is not the file"),
        (lambda f: (f / "extra.onnx").write_bytes(b"x"), "nobody signed: extra.onnx"),
        # The names that are exempt in the root are not exempt below it.
        (lambda f: (f / "members" / "manifest.json").write_bytes(b"x"), "nobody signed"),
        (lambda f: (f / "members" / "statement.json").write_bytes(b"x"), "nobody signed"),
    ],
)
def test_any_change_is_noticed_and_named(
    signed: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(signed)
    with pytest.raises(BadSignature, match=said):
        verify_version(signed, public_key_of(KEY))


def test_another_key_is_not_trusted(signed: Path) -> None:
    with pytest.raises(BadSignature, match="do not load"):
        verify_version(signed, public_key_of(PrivateKey.generate()))


def test_the_same_files_and_key_give_the_same_signature(signed: Path) -> None:
    before = (signed / "statement.sig").read_bytes()
    sign_version(
        signed, KEY, name="vultus-pad", data_sha256="d" * 64, git_commit="c0ffee", run_id="r1"
    )
    assert (signed / "statement.sig").read_bytes() == before


def test_a_laptop_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing.pem"
    first = load_or_create_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    again = load_or_create_key(file)
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("pem", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(BadParameter, match="PEM"):
        private_key_of(pem)


def test_a_key_of_another_kind_is_refused() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(BadParameter, match="Ed25519"):
        private_key_of(pem)


def test_the_pointer_comes_back_and_is_none_before_the_first_promotion(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert ChampionPointer.read(home, "vultus-pad") is None
    pointer = ChampionPointer(name="vultus-pad", version=3, path=tmp_path / "v", digest="e" * 64)
    pointer.write(home)
    assert ChampionPointer.read(home, "vultus-pad") == pointer
    assert [f.name for f in (home.models / "vultus-pad").iterdir()] == ["champion.json"]
