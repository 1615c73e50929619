"""Embedders that are trained whole: shapes, sizes, frozen stages, and published weights."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vultus.errors import BadArtifact, BadParameter
from vultus.networks.embedders.catalogue import EMBEDDERS, build_embedder
from vultus.networks.embedders.embedder import Embedder, UnitEmbedder
from vultus.networks.embedders.published import read_published

SMALL: dict[str, dict[str, int | float]] = {
    "facenet": {"dimension": 512, "side": 96},
    "vggface": {"dimension": 64, "side": 64, "width": 0.125},
    "ir18": {"dimension": 64, "side": 48, "width": 0.25},
    "ir50": {"dimension": 64, "side": 48, "width": 0.125},
    "mobilefacenet": {"dimension": 64, "side": 48, "width": 0.25},
    "edge": {"dimension": 64, "side": 48, "width": 0.25},
}
MILLIONS = {"facenet": 23.5, "ir18": 24.0, "ir50": 43.6, "mobilefacenet": 1.0, "edge": 0.81}
"""With the published sizes: 23,482,624 in facenet-pytorch without its classifier, 24.0 and 43.6 in the
reference code of ArcFace, 1.0 (0.99) in the paper of MobileFaceNet, ours measured."""


def small(name: str) -> Embedder:
    """A small one, in evaluation mode."""
    torch.manual_seed(0)
    return build_embedder(name, SMALL[name]).eval()


def test_all_of_the_catalogue_are_tested_here() -> None:
    assert set(SMALL) == set(EMBEDDERS)


@pytest.mark.parametrize("name", EMBEDDERS)
def test_pixels_become_a_vector_of_unit_length_alone_as_in_a_batch(name: str) -> None:
    network = UnitEmbedder(small(name)).eval()
    pixels = torch.rand(3, 3, int(SMALL[name]["side"]), int(SMALL[name]["side"])) * 255
    with torch.inference_mode():
        together = network(pixels)
        alone = torch.cat([network(one[None]) for one in pixels])
    assert together.shape == (3, SMALL[name]["dimension"])
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert (together[0] - together[1]).abs().max() > 1e-4


@pytest.mark.parametrize("name", MILLIONS)
def test_each_has_the_parameters_of_its_source(name: str) -> None:
    whole = EMBEDDERS[name]
    with torch.device("meta"):
        network = whole.build(dimension=whole.dimension, side=whole.side)
    count = sum(p.numel() for p in network.parameters())
    assert count / 1e6 == pytest.approx(MILLIONS[name], rel=0.011)


def test_vgg_has_its_sixteen_layers() -> None:
    with torch.device("meta"):
        network = EMBEDDERS["vggface"].build()
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 13 + 2 + 1
    assert sum(p.numel() for p in layers[-3].parameters()) == 25088 * 4096 + 4096


@pytest.mark.parametrize("name", EMBEDDERS)
def test_stages_hold_every_weight_once_and_frozen_ones_stay_still(name: str) -> None:
    network = small(name)
    held = [id(p) for stage in network.stages() for p in stage.parameters()]
    assert sorted(held) == sorted(id(p) for p in network.parameters())
    frozen = len(network.stages()) - 1
    network.freeze(frozen)
    network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(
        torch.rand(4, 3, int(SMALL[name]["side"]), int(SMALL[name]["side"])) * 255
    ).sum().backward()
    optimiser.step()
    still = {
        id(t)
        for stage in network.stages()[:frozen]
        for t in (*stage.parameters(), *stage.buffers())
    }
    after = network.state_dict(keep_vars=True)
    moved = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert moved
    assert not {key for key in moved if id(after[key]) in still}


def test_an_option_that_a_network_lacks_is_named() -> None:
    with pytest.raises(BadParameter, match="facenet has no option width"):
        build_embedder("facenet", {"width": 0.5})


def test_facenet_has_the_parts_of_facenet_pytorch() -> None:
    """sha256 over name and shape of all 714 tensors of facenet-pytorch 2.6.0, without classifier."""
    with torch.device("meta"):
        state = EMBEDDERS["facenet"].build().state_dict()
    lines = [f"{name} {list(value.shape)}" for name, value in sorted(state.items())]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert (len(lines), digest) == (
        714,
        "4e0b673f537d43a460ea843b19681e79790722962fd0a70e5cd5287fdfc8d696",
    )


def test_facenet_says_what_facenet_pytorch_says(tmp_path: Path) -> None:
    """Its own module with random weights and statistics; runs where the package can be imported."""
    module = pytest.importorskip("facenet_pytorch.models.inception_resnet_v1")
    torch.manual_seed(1)
    theirs = module.InceptionResnetV1(classify=False).eval()
    for part in theirs.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(part.running_mean, -0.5, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    state = {**theirs.state_dict(), "logits.weight": torch.zeros(8631, 512)}
    torch.save(state, tmp_path / "vggface2.pt")
    ours = EMBEDDERS["facenet"].build()
    read_published(ours, tmp_path / "vggface2.pt", "facenet")
    pixels = torch.randint(0, 256, (2, 3, 160, 160)).float()
    with torch.inference_mode():
        expected = theirs((pixels - 127.5) / 128)
        got = UnitEmbedder(ours.eval())(pixels)
    torch.testing.assert_close(got, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_published_weights_come_back_without_their_classifier(suffix: str, tmp_path: Path) -> None:
    network = small("vggface")
    state = {
        k: v
        for k, v in network.state_dict().items()
        if k.partition(".")[0] not in ("dense", "mean")
    }
    state["fc8.weight"] = torch.zeros(10, 4)
    file = tmp_path / f"weights.{suffix}"
    save_file(state, file) if suffix == "safetensors" else torch.save(state, file)
    torch.manual_seed(5)
    other = build_embedder("vggface", SMALL["vggface"])
    projection = other.state_dict()["dense.weight"].clone()
    read_published(other, file, "vggface")
    assert torch.equal(other.state_dict()["fc7.weight"], network.state_dict()["fc7.weight"])
    assert torch.equal(other.state_dict()["dense.weight"], projection)


def test_weights_of_another_architecture_are_refused_with_what_differs(tmp_path: Path) -> None:
    torch.save(small("ir18").state_dict(), tmp_path / "ir18.pt")
    with pytest.raises(
        BadArtifact, match=r"does not fit edge: \d+ missing: stem.*not of this network"
    ):
        read_published(small("edge"), tmp_path / "ir18.pt", "edge")
    torch.save(small("edge").state_dict(), tmp_path / "edge.pt")
    wider = build_embedder("edge", {**SMALL["edge"], "dimension": 32})
    with pytest.raises(BadArtifact, match=r"dense.weight is \[64, 128\], not \[32, 128\]"):
        read_published(wider, tmp_path / "edge.pt", "edge")


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04"])
def test_a_file_that_holds_no_weights_is_refused(content: bytes, tmp_path: Path) -> None:
    for suffix in ("pt", "safetensors"):
        file = tmp_path / f"broken.{suffix}"
        file.write_bytes(content)
        with pytest.raises(BadArtifact, match="cannot be read as weights"):
            read_published(small("edge"), file, "edge")


def test_code_in_a_file_of_weights_is_not_run(tmp_path: Path) -> None:
    torch.save({"stem": Path("/")}, tmp_path / "code.pt")
    with pytest.raises(BadArtifact, match="cannot be read as weights"):
        read_published(small("edge"), tmp_path / "code.pt", "edge")
