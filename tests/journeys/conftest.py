"""One small first run for all journeys."""

import pytest

from support.journey import PromotedHome, first_run


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> PromotedHome:
    """A home after `vultus run`. Tests that write use names of their own."""
    return first_run(tmp_path_factory.mktemp("journey"))
