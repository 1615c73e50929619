"""The pretrained files for tests: from the state folder, fetched there once."""

import os
from pathlib import Path

import pytest

from vultus.errors import WeightsUnavailable
from vultus.weights import locate

_CHECKOUT = Path(__file__).parents[2]


def weights_folder(*names: str) -> Path:
    """The weights folder with these files in it; skips the test where they cannot be had."""
    folder = Path(os.environ.get("VULTUS_HOME", _CHECKOUT / ".vultus")) / "weights"
    for name in names:
        try:
            locate(name, folder)
        except WeightsUnavailable as error:
            pytest.skip(f"needs {name}: {error}")
    return folder
