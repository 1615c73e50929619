"""The champion is followed; a broken one is not."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serving.assembly import Assembly, Source
from support.served import promote_drawn, promote_recogniser, tampered
from vultus.contracts.home import Home
from vultus.errors import BadArtifact, BadSignature
from vultus.signing import load_or_create_key, public_key_of


def test_a_new_champion_answers_the_next_request(world: Any) -> None:
    before = world.service.served()
    assert world.service.assembly.check() is False
    promote_recogniser(world.home, 2)
    assert world.service.assembly.check() is True
    assert world.service.served().models.recognition == "vultus-recognition/2"
    assert before.models.recognition == "vultus-recognition/1"  # who had it, keeps it
    assert world.metric("vultus_model_reloads_total", outcome="swapped") == 1
    assert world.service.assembly.check() is False


def test_a_stranger_s_signature_leaves_the_old_one(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    promote_recogniser(world.home, 2, key=Ed25519PrivateKey.generate())
    assert world.service.assembly.check() is False
    assert world.service.served().models.recognition == "vultus-recognition/1"
    assert "new champion refused" in caplog.text
    assert world.metric("vultus_model_reloads_total", outcome="refused") == 1
    promote_recogniser(world.home, 3)
    assert world.service.assembly.check() is True
    assert world.service.served().models.recognition == "vultus-recognition/3"


def test_a_pointer_that_was_cut_leaves_the_old_one(world: Any) -> None:
    (world.home.models / "vultus-pad" / "champion.json").write_text('{"name": "vultus-p')
    assert world.service.assembly.check() is False
    assert world.service.served().models.pad == "vultus-pad/1"


def test_references_are_compared_by_the_recogniser_that_made_them(world: Any, shown: Any) -> None:
    """Vectors of two networks have nothing to say to each other, and nobody pretends they have."""
    image = {"image": ("a.jpg", shown.ada)}
    world.http.put("/api/v1/subjects/ada/references", files=image)
    promote_recogniser(world.home, 2)
    world.service.assembly.check()
    answer = world.http.post("/api/v1/identify", files=image).json()
    assert (answer["decision"], answer["gallery_size"]) == ("match", 1)
    assert answer["models"]["recognition"] == "vultus-recognition/1"
    again = world.http.put("/api/v1/subjects/ada/references", files=image).json()
    assert again["models"]["recognition"] == "vultus-recognition/2"
    assert (again["decision"], again["references"]) == ("enrolled", 3)


def _assembly(home: Home) -> Assembly:
    def nothing(_: str) -> Path | None:
        return None

    names = ("vultus-recognition", "vultus-pad")
    sources = [Source(f"models:/{name}@champion", home, nothing) for name in names]
    return Assembly(*sources, public_key_of(load_or_create_key(home.keys / "signing.pem")))


def test_nothing_promoted_is_said_with_the_command_that_helps(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="vultus run"):
        _assembly(Home(tmp_path))


def test_a_changed_network_is_never_loaded(tmp_path: Path) -> None:
    home = Home(tmp_path)
    promote_drawn(home)
    tampered(home, "vultus-pad", 1)
    with pytest.raises(BadSignature, match=r"drawn\.onnx"):
        _assembly(home)


def test_a_folder_can_be_served_too(home: Home) -> None:
    folder = home.models / "vultus-pad" / "1"
    source = Source(str(folder), home, lambda _: None)
    assert source.folder() == folder
    assert source.state() == ()
