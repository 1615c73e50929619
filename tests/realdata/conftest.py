"""Which promoted models are asked about real faces."""

import pytest

from support.pretrained import weights_folder
from support.realdata import require
from vultus.contracts.home import Home
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.signing import ChampionPointer


@pytest.fixture(scope="session")
def home(request: pytest.FixtureRequest) -> Home:
    """The checkout's own, after `make run`; else one that a small run has just promoted."""
    require()
    own = Home(weights_folder().parent)
    if all(ChampionPointer.read(own, name) for name in (RECOGNITION_MODEL, PAD_MODEL)):
        return own
    return Home(request.getfixturevalue("promoted").root)
