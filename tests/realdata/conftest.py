"""Which promoted models are asked about real faces."""

import pytest

from support.pretrained import weights_folder
from support.realdata import require
from vultus.contracts.home import Home
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.signing import ChampionPointer


@pytest.fixture(scope="session")
def home() -> Home:
    """The checkout's own, after `make run`; skips, with the reason, before it.

    A small run's models would say nothing: a dozen people teach an adapter too little, and a few
    pairs decide (seen: an EER of 2.09 against 1.70 % on 1,537 pairs).
    """
    require()
    own = Home(weights_folder().parent)
    for name in (RECOGNITION_MODEL, PAD_MODEL):
        if ChampionPointer.read(own, name) is None:
            pytest.skip(f"no promoted {name} in {own.root}; run `make run` first")
    return own
