"""EfficientNet-Lite0's first blocks say what the package's own model says, and never learn."""

from pathlib import Path

import numpy as np
import pytest
import torch

from support.pretrained import weights_folder
from vultus.errors import WeightsUnavailable
from vultus.networks.lite0 import SIDE, WIDTH, Lite0, read_lite0

EXPECTED = (
    (4, [5.034, -0.70275, 1.7751, 0.89586], [7.53714, 9.32592, 7.18768, 6.80519]),
    (7, [-0.97664, -8.75048, -5.89363, -5.50096], [6.84361, 7.59569, 8.59468, 6.05814]),
    (10, [0.59158, 5.69972, 1.50613, 5.15751], [6.09567, 5.47431, 4.231, 4.29847]),
)
"""Block, mean and deviation of the first four channels: efficientnet-lite-pytorch 0.1.0 on `pattern`."""


def pattern() -> torch.Tensor:
    """A picture that can be written down: float32 [1, 3, 112, 112] within ±1."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    planes = [((x * y * (channel + 1)) % 251) / 125.5 - 1 for channel in range(3)]
    return torch.stack(planes).float()[None]


def test_it_says_what_the_packages_own_code_says() -> None:
    trunk = read_lite0(weights_folder("lite0") / "lite0.pth")
    with torch.inference_mode():
        maps = trunk.maps(pattern())
        described = trunk(pattern())[0].numpy()
    assert described.shape == (WIDTH,)
    start = 0
    for found, (_, means, deviations) in zip(maps, EXPECTED, strict=True):
        width = found.shape[1]
        assert described[start : start + 4] == pytest.approx(means, abs=1e-3)
        assert described[start + width : start + width + 4] == pytest.approx(deviations, abs=1e-3)
        start += 2 * width


def test_it_never_learns() -> None:
    trunk = Lite0().train()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    trunk(torch.rand(4, 3, SIDE, SIDE))
    assert not any(part.training for part in trunk.modules())
    assert not any(weight.requires_grad for weight in trunk.parameters())
    assert all(torch.equal(before[name], value) for name, value in trunk.state_dict().items())


def test_a_batch_is_its_pictures_one_by_one() -> None:
    trunk = Lite0().eval()
    crops = torch.rand(3, 3, SIDE, SIDE) * 2 - 1
    with torch.inference_mode():
        single = torch.cat([trunk(crops[row : row + 1]) for row in range(3)])
        assert np.allclose(trunk(crops), single, atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_another_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "lite0.pth"
    if content is None:
        torch.save({"_conv_stem.weight": torch.zeros(1)}, file)
    else:
        file.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match="EfficientNet-Lite0"):
        read_lite0(file)
