"""PAD networks of the bench on real presentations: how far 200 steps of simulation carry."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support.real_presentations import MINIFASNET, figures_of, real_presentations
from support.realdata import require
from vultus.contracts.models import OnnxModel
from vultus.contracts.transform import LivenessTransform
from vultus.inference.panel import OnnxPadMember
from vultus.metrics import clopper_pearson

pytestmark = pytest.mark.realdata


def member_of(folder: Path) -> OnnxPadMember:
    """The one member of an exported panel."""
    model = OnnxModel.open(folder)
    assert isinstance(model.transform, LivenessTransform)
    (own,) = model.transform.members
    return OnnxPadMember(folder / own.file, own, threads=1)


def test_each_network_answers_for_every_real_presentation(
    record_property: Callable[[str, object], None],
) -> None:
    require()
    models = os.environ.get("VULTUS_PAD_MODELS")
    if not models:
        pytest.skip("VULTUS_PAD_MODELS names the folder that `make bench-pad_zoo` filled")
    real = real_presentations()
    found: dict[str, object] = {"MiniFASNet pair": MINIFASNET}
    for folder in sorted(Path(models).glob("*/model")):
        scorer = member_of(folder)
        threshold = scorer.member.threshold
        assert threshold is not None
        scores = scorer.score(real.images, real.boxes)
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) > len(scores) / 2  # no network that gives everyone the same
        rates = {}
        for species in sorted(set(real.species.tolist())):
            own = scores[real.species == species]
            errors = int((own < threshold).sum() if species == "" else (own >= threshold).sum())
            low, high = clopper_pearson(errors, len(own))
            name = f"apcer {species}" if species else "bpcer"
            rates[name] = {"value": round(errors / len(own), 3), "interval": [low, high]}
        found[folder.parent.name] = {**figures_of(real, scores), "at its threshold": rates}
    assert len(found) > 1, f"no models in {models}"
    record_property("figures", json.dumps(found))
    print(json.dumps(found, indent=1))
