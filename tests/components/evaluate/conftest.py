"""What the tests of evaluate share: one trained model of each task, and how it was judged."""

import pytest

from support.evaluated import LIVENESS, RECOGNITION, Bench, Judged


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An embedder: the packaged trunk."""
    return Bench.at(tmp_path_factory.mktemp("faces"), "sface", **RECOGNITION)


@pytest.fixture(scope="session")
def pad(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A panel of our own member, hardly trained."""
    return Bench.at(tmp_path_factory.mktemp("pad"), **LIVENESS)


@pytest.fixture(scope="session")
def judged(faces: Bench) -> Judged:
    """All comparisons are listed."""
    return faces.evaluate(faces.root / "evaluation", reference_rows=40, worst=2)


@pytest.fixture(scope="session")
def pad_judged(pad: Bench) -> Judged:
    """At a threshold that refuses a fifth of bona fide."""
    return pad.evaluate(pad.root / "evaluation", max_bpcer=0.2, worst=2)
