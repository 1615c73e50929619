"""Every PAD network of the zoo: it scores row by row, its heads teach it, wrong weights are named."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn

from benchmarks.pad_networks import table
from components.train import TrainParams
from support.tree import CHECKOUT
from vultus.contracts.transform import Architecture
from vultus.errors import BadArtifact, BadParameter
from vultus.networks.load import build
from vultus.networks.pads.auxiliary import HEADS, PadTraining
from vultus.networks.pads.imagenet import ImageNetBackbone
from vultus.networks.pads.network import HybridPad, PadNetwork
from vultus.networks.pads.spectrum import SPECTRA
from vultus.networks.pads.zoo import NO_FREQUENCY, ZOO, architecture_of, build_pad
from vultus.networks.state import misfit

SIDE, SCALES, KINDS = 64, 2, 4
NAMES = [pytest.param(n, marks=pytest.mark.slow) if n == "xception" else n for n in ZOO]


def _network(name: str, frequency: str = "fft") -> HybridPad:
    torch.manual_seed(0)
    return build_pad(architecture_of(name, side=SIDE, scales=SCALES, frequency=frequency))


def _crops(count: int, scales: int = SCALES) -> torch.Tensor:
    seeded = torch.Generator().manual_seed(1)
    return torch.randn(count, 3 * scales, SIDE, SIDE, generator=seeded) * 0.5


def test_what_can_be_chosen_is_what_there_is() -> None:
    fields = TrainParams.model_fields
    assert set(ZOO) <= set(get_args(fields["pad_network"].annotation))
    assert set(get_args(fields["pad_frequency"].annotation)) == {NO_FREQUENCY, *SPECTRA}
    assert list(type(fields["pad_auxiliary"].default).model_fields) == list(HEADS)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_scored_like_its_rows(name: str) -> None:
    network = _network(name).eval()
    crops = _crops(3)
    with torch.inference_mode():
        together = network(crops)
        alone = torch.cat([network(crops[row : row + 1]) for row in range(3)])
    assert together.shape == (3,)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head", HEADS)
def test_a_head_teaches_the_backbone(name: str, head: str) -> None:
    network = _network(name)
    training = PadTraining(network, (head,), side=SIDE, scales=SCALES, kinds=KINDS)
    assert isinstance(training, PadNetwork)
    logit, losses = training.training_outputs(_crops(4), torch.tensor([0, 1, 2, 3]))
    assert logit.shape == (4,)
    losses[head].backward()  # type: ignore[no-untyped-call]
    first = next(layer for layer in network.backbone.modules() if isinstance(layer, nn.Conv2d))
    assert first.weight.grad is not None
    assert float(first.weight.grad.abs().sum()) > 0
    assert (network.branch.layers[1][0].weight.grad is not None) == (head == "species")
    assert network.classifier.weight.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_in_mixed_precision_is_close_to_the_whole_one(name: str) -> None:
    training = PadTraining(_network(name), (*HEADS,), side=SIDE, scales=SCALES, kinds=KINDS).eval()
    crops, groups = _crops(4), torch.tensor([0, 1, 2, 3])
    with torch.no_grad():
        whole, exact = training.training_outputs(crops, groups)
        with torch.autocast("cpu", torch.bfloat16):
            mixed, near = training.training_outputs(crops, groups)
    torch.testing.assert_close(mixed.float(), whole, atol=0.03, rtol=0.05)
    for head in HEADS:
        assert float(near[head]) == pytest.approx(float(exact[head]), abs=0.03, rel=0.05), head


def test_the_pixel_head_at_rest_cannot_tell() -> None:
    training = PadTraining(_network("compact"), ("pixel",), side=SIDE, scales=SCALES, kinds=KINDS)
    verdict = training.heads["pixel"].verdict
    nn.init.zeros_(verdict.weight)
    nn.init.constant_(verdict.bias, 2.0)
    losses = [
        float(training.training_outputs(_crops(2), torch.tensor(groups))[1]["pixel"])
        for groups in ([0, 0], [1, 3])
    ]
    assert losses == pytest.approx([0.126928, 2.126928], abs=1e-5)  # ln(1 + e^-2), ln(1 + e^2)


@pytest.mark.parametrize("name", NAMES)
def test_a_side_that_does_not_fit_is_refused_by_name(name: str) -> None:
    small = ZOO[name].least_side - 32
    with pytest.raises(BadParameter, match=rf"pad_side={small} does not fit {name}"):
        build_pad(architecture_of(name, side=small, scales=1, frequency="none"))


def test_an_architecture_that_lacks_an_option_or_is_unknown_is_named() -> None:
    with pytest.raises(BadArtifact, match="lacks the option 'scales'"):
        build(Architecture(name="compact-pad", options={"side": 64}))
    with pytest.raises(BadArtifact, match=r"'fourier-pad' is not known.*minifasnet-pad"):
        build(Architecture(name="fourier-pad", options={"side": 64}))


def test_weights_of_every_other_network_are_a_misfit_that_is_named() -> None:
    made = {
        (name, branch): _network(name, branch)
        for name in ZOO
        if name != "xception"  # 20 million numbers, alike in kind
        for branch in (NO_FREQUENCY, "fft")
    }
    for own, network in made.items():
        for other, stranger in made.items():
            said = misfit(network, stranger.state_dict())
            assert bool(said) == (own != other), (own, other)
    alone, joined = made["compact", NO_FREQUENCY], made["compact", "fft"]
    said = misfit(joined, alone.state_dict())
    assert "missing: branch." in said
    assert "classifier.weight is [1, 384], not [1, 768]" in said


def test_imagenet_weights_answer_equal_scales_as_they_answered_one(tmp_path: Path) -> None:
    from torchvision import models

    torch.manual_seed(3)
    published = models.mobilenet_v3_small(weights=None).eval()
    torch.save(published.state_dict(), tmp_path / "file.pth")
    backbone = ImageNetBackbone("mobilenet-v3-small", 2, tmp_path / "file.pth").eval()
    pixels = torch.randint(0, 256, (2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(4))
    mean, deviation = (
        torch.tensor(values).view(1, 3, 1, 1)
        for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    with torch.inference_mode():
        expected = published.features((pixels / 255 - mean) / deviation).mean((2, 3))
        crop = (pixels - 127.5) / 128
        pooled = backbone(torch.cat([crop, crop], dim=1)).pooled
    torch.testing.assert_close(pooled[:, :576], expected, atol=1e-4, rtol=1e-3)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    from torchvision import models

    file = tmp_path / "large.pth"
    torch.save(models.mobilenet_v3_large(weights=None).state_dict(), file)
    seen = r"large\.pth does not fit mobilenet-v3-small: .*not of this.*mobilenet-v3 of torchvision"
    with pytest.raises(BadArtifact, match=seen):
        ImageNetBackbone("mobilenet-v3-small", 2, file)
    file.write_bytes(b"no weights")
    with pytest.raises(BadArtifact, match="cannot be read as weights"):
        ImageNetBackbone("mobilenet-v3-small", 2, file)


@pytest.mark.slow
def test_the_table_of_costs_is_current() -> None:
    readme = (CHECKOUT / "components" / "train" / "README.md").read_text()
    assert "\n".join(table()) in readme
