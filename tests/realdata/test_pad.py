"""Real presentations: the promoted panel's figures as they are, good or bad (acceptance 5).

No figure is a threshold here: what must hold is that each is computed, has its interval, and says
how many pictures were not decided.
"""

import json
from collections.abc import Callable

import numpy as np
import pytest

from support.realdata import picture, rows, thorough
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import PAD_MODEL, PadDecision
from vultus.inference.panel import PadJudgement, PadPanel
from vultus.metrics import auc, clopper_pearson
from vultus.signing import ChampionPointer

pytestmark = pytest.mark.realdata


def panel(home: Home) -> PadPanel:
    """The promoted panel."""
    pointer = ChampionPointer.read(home, PAD_MODEL)
    assert pointer is not None
    version = ModelVersion.open(pointer.path)
    assert isinstance(version.transform, LivenessTransform)
    return PadPanel(version.path, version.transform, threads=2)


def test_the_figures_on_real_presentations(
    home: Home, record_property: Callable[[str, object], None]
) -> None:
    judge = panel(home)
    chosen = [row for n, row in enumerate(rows("pad/manifest.csv")) if thorough() or n % 4 == 0]
    judged: dict[str, list[PadJudgement]] = {}
    for row in chosen:
        box = np.array([float(row[f"box_{side}"]) for side in ("x1", "y1", "x2", "y2")], np.float32)
        species = "bona_fide" if row["species"] == "live" else row["species"]
        judged.setdefault(species, []).append(judge.judge(picture(f"pad/{row['file']}"), box))
    bona_fide = [one.score for one in judged["bona_fide"] if one.score is not None]
    figures: dict[str, object] = {}
    for species, answers in judged.items():
        decided = [one for one in answers if one.decision is not PadDecision.NOT_DECIDED]
        wrong = PadDecision.ATTACK if species == "bona_fide" else PadDecision.BONA_FIDE
        errors = sum(one.decision is wrong for one in decided)
        name = "bpcer" if species == "bona_fide" else f"apcer {species}"
        figures[name] = {
            "value": errors / len(decided) if decided else None,
            "interval": clopper_pearson(errors, len(decided)),
            "n": len(decided),
            "not_decided": len(answers) - len(decided),
        }
        scored = [one.score for one in answers if one.score is not None]
        if species != "bona_fide" and scored and bona_fide:
            both = np.array([*bona_fide, *scored])
            positive = np.arange(len(both)) < len(bona_fide)
            figures[f"auc {species}"] = auc(both, positive)
    record_property("figures", json.dumps(figures))
    print(json.dumps(figures, indent=1))
    assert {"bpcer", "apcer replay"} <= set(figures)
    assert sum(map(len, judged.values())) == len(chosen)
    assert len({one.score for answers in judged.values() for one in answers}) > 10
