"""The real presentations beside the checkout, and the figures that are asked of scores on them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from support.realdata import picture, rows
from vultus.contracts.arrays import Boxes, RgbImage, Scores
from vultus.metrics import BpcerAtApcer, Ranking, apcer, bootstrap, threshold_at_bpcer

MINIFASNET = {
    "auc": 0.753, "auc of sources, mean": 0.819, "eer": 0.32,
    "bpcer_at_apcer_5": 0.60, "bpcer_at_apcer_10": 0.53, "apcer at bpcer 0.45": 0.21,
}  # fmt: skip
"""DeepFace's pair on these very pictures, one thread, as the folder's README and its notes say."""
_OF_A_KIND = 5
"""Pictures of each kind that a source needs for an AUC of its own."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Real:
    """images; boxes float32 [N, 4]; species, sources: str [N], species "" = bona fide."""

    files: list[str]
    images: list[RgbImage]
    boxes: Boxes
    species: NDArray[np.str_]
    sources: NDArray[np.str_]

    @property
    def live(self) -> Flags:
        """Bona fide, bool [N]."""
        return np.asarray(self.species == "", bool)

    def judged_sources(self) -> list[str]:
        """Sources with enough pictures of both kinds."""
        kinds = (self.live, ~self.live)
        return [
            str(source)
            for source in np.unique(self.sources)
            if min(int((kind & (self.sources == source)).sum()) for kind in kinds) >= _OF_A_KIND
        ]


@cache
def real_presentations() -> Real:
    """All of them; skips without the folder."""
    listed = rows("pad/manifest.csv")
    sides = ("x1", "y1", "x2", "y2")
    return Real(
        files=[row["file"] for row in listed],
        images=[picture(f"pad/{row['file']}") for row in listed],
        boxes=np.array(
            [[float(row[f"box_{side}"]) for side in sides] for row in listed], np.float32
        ),
        species=np.array(["" if row["species"] == "live" else row["species"] for row in listed]),
        sources=np.array([row["source"] for row in listed]),
    )


def figures_of(real: Real, scores: Scores) -> dict[str, object]:
    """AUC, EER, BPCER at APCER, and AUC by source; intervals over pictures, 95 %.

    Pictures of one source depend on each other, so that the intervals are too narrow.
    """
    live, species = real.live, real.species
    ranking = Ranking(scores, live)
    asked = {
        "auc": ranking.auc,
        "eer": ranking.equal_error_rate,
        "bpcer_at_apcer_5": BpcerAtApcer(scores, species, 0.05),
        "bpcer_at_apcer_10": BpcerAtApcer(scores, species, 0.10),
    }
    found: dict[str, object] = {}
    for name, figure in asked.items():
        drawn = bootstrap(figure, np.arange(len(scores)), replicates=400)
        assert drawn is not None
        found[name] = {
            "value": round(float(figure(None)), 3),
            "interval": [round(drawn.low, 3), round(drawn.high, 3)],
        }
    by_source = {
        source: round(float(Ranking(scores[own], live[own]).auc()), 3)
        for source in real.judged_sources()
        for own in [real.sources == source]
    }
    limit = threshold_at_bpcer(scores[live], 0.45)
    replays = {"replay": scores[species == "replay"]}
    return {
        **found,
        "apcer at bpcer 0.45": round(apcer(replays, limit), 3),
        "auc of sources": by_source,
        "auc of sources, mean": round(float(np.mean(list(by_source.values()))), 3),
        "auc of sources, worst": min(by_source.values()),
    }
