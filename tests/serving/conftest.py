"""What the tests of the server share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import Pictures, pictures, promote_drawn
from support.server import World, serve_home
from vultus.contracts.home import Home


@pytest.fixture(scope="session")
def shown() -> Pictures:
    """Pictures of rendered people."""
    return pictures()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a promoted pair."""
    made = Home(tmp_path / "home")
    promote_drawn(made)
    return made


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    """The server over that home."""
    made = serve_home(home)
    yield made
    made.service.close()
