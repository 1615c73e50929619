"""Manifest tests are skipped where no kubectl can build them, with that reason."""

from typing import Any

import pytest

from support import kubernetes


@pytest.fixture(params=kubernetes.OVERLAYS)
def documents(request: pytest.FixtureRequest) -> tuple[dict[str, Any], ...]:
    """Every object of one overlay, for each overlay."""
    try:
        return kubernetes.overlay(request.param)
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))
