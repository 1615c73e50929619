"""The adapter starts as the identity and stays near where it begins."""

import pytest
import torch
from torch.nn import functional

from vultus.networks.adapter import AdaptedTrunk, Adapter, levelling
from vultus.networks.heads import AdapterTraining, ArcFace
from vultus.networks.load import TRUNKS

DIMENSION = 128


def _unit(rows: int, seed: int = 0, width: int = DIMENSION) -> torch.Tensor:
    return functional.normalize(
        torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))
    )


def test_a_new_adapter_is_the_identity() -> None:
    adapter, embeddings = Adapter(DIMENSION), _unit(50)
    assert torch.equal(adapter.matrix, torch.eye(DIMENSION))
    assert (adapter(embeddings) - embeddings).abs().max() <= 2e-7
    assert float(adapter.drift().detach()) == 0


def test_adapted_embeddings_have_unit_length_whatever_the_length_before() -> None:
    adapter = Adapter(DIMENSION)
    torch.nn.init.normal_(adapter.residual, std=0.3)
    embeddings = 7 * _unit(20)
    assert adapter(embeddings).norm(dim=1).detach() == pytest.approx(torch.ones(20), abs=1e-6)
    torch.testing.assert_close(adapter(embeddings), adapter(embeddings / 7))


@pytest.mark.parametrize("name", TRUNKS)
def test_merging_the_adapter_into_the_trunk_changes_nothing(name: str) -> None:
    torch.manual_seed(3)
    packaged = TRUNKS[name]
    network = AdaptedTrunk(packaged.build(), Adapter(packaged.dimension)).eval()
    torch.nn.init.normal_(network.adapter.residual, std=0.1)
    pixels = torch.rand(2, 3, packaged.side, packaged.side) * 255
    with torch.inference_mode():
        torch.testing.assert_close(network.merged()(pixels), network(pixels), atol=2e-6, rtol=0)


def test_a_stronger_pull_ends_nearer_to_where_it_began() -> None:
    embeddings, labels = _unit(60), torch.arange(60) % 6
    drifts = []
    for pull in (0.0, 1.0, 100.0):
        head = ArcFace(6, DIMENSION)
        head.start_at(embeddings, labels)
        training = AdapterTraining(Adapter(DIMENSION), head, pull)
        optimiser = torch.optim.Adam(training.adapter.parameters(), lr=1e-2)
        for _ in range(40):
            optimiser.zero_grad()
            training(embeddings, labels).backward()
            optimiser.step()
        drifts.append(float(training.adapter.drift().detach()))
    assert drifts == sorted(drifts, reverse=True)
    assert drifts[0] > 10 * drifts[2]


def test_levelling_parts_strangers_that_share_a_direction_and_keeps_mates() -> None:
    generator = torch.Generator().manual_seed(3)
    common = torch.nn.functional.normalize(torch.randn(1, DIMENSION, generator=generator))
    people = torch.randn(40, DIMENSION, generator=generator).repeat_interleave(2, dim=0)
    noise = 0.3 * torch.randn(80, DIMENSION, generator=generator)
    seen = torch.nn.functional.normalize(people + noise + 12 * common)
    adapter = Adapter(DIMENSION)
    adapter.start_at(levelling(seen, 0.01))
    before, after = seen @ seen.T, adapter(seen).detach() @ adapter(seen).detach().T
    strangers = torch.arange(80)[:, None] // 2 != torch.arange(80)[None] // 2
    assert before[strangers].mean() > 0.4
    assert after[strangers].mean().abs() < 0.05
    assert after[0, 1] > 0.6


def test_much_damping_is_the_identity() -> None:
    torch.testing.assert_close(levelling(_unit(60), 1e6), torch.eye(DIMENSION), atol=1e-5, rtol=0)
