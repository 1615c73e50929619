"""Our own PAD member on real presentations: it learned from renders and simulated attacks alone.

These pictures are development data: the recipe of the member was chosen with them in sight, so that
its figures here flatter it.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.train.describing import Describer
from components.train.params import TrainParams
from components.train.pictures import rows_of
from support.pretrained import weights_folder
from support.real_presentations import MINIFASNET, Real, figures_of, real_presentations
from support.realdata import require, thorough
from support.tree import CHECKOUT
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform, TensorParams
from vultus.contracts.words import PAD_MODEL, Split
from vultus.faces.tensor import pad_tensor
from vultus.inference.panel import OnnxPadMember
from vultus.metrics import clopper_pearson
from vultus.networks.frozen_pad import SCALES, SIDE, fit_head
from vultus.networks.lite0 import read_lite0
from vultus.networks.load import OWN_MEMBER
from vultus.networks.resume import ResumeFolder
from vultus.reports.charts import sheet
from vultus.signing import ChampionPointer
from vultus.storage import FolderStore

pytestmark = pytest.mark.realdata
PULL = TrainParams.model_fields["head_pull"].default
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def home() -> Home:
    """The checkout's own, after `make run` or `vultus run liveness`; skips before it."""
    require()
    own = Home(Path(os.environ.get("VULTUS_HOME", CHECKOUT / ".vultus")))
    if ChampionPointer.read(own, PAD_MODEL) is None:
        pytest.skip(f"no promoted {PAD_MODEL} in {own.root}; run `make run` first")
    return own


def own_member(home: Home) -> OnnxPadMember:
    """Our member of the promoted panel."""
    pointer = ChampionPointer.read(home, PAD_MODEL)
    assert pointer is not None
    version = ModelVersion.open(pointer.path)
    assert isinstance(version.transform, LivenessTransform)
    member = next(one for one in version.transform.members if one.name == OWN_MEMBER)
    return OnnxPadMember(version.path / member.file, member, threads=2)


def test_it_is_better_than_the_networks_of_real_attacks_here(
    home: Home, record_property: Record
) -> None:
    scorer, real = own_member(home), real_presentations()
    if "EfficientNet" not in scorer.member.training_data:
        pytest.skip(f"the promoted member is another network: {scorer.member.training_data}")
    scores = scorer.score(real.images, real.boxes)
    threshold = scorer.member.threshold
    assert threshold is not None
    found = figures_of(real, scores)
    for species in sorted(set(real.species.tolist())):
        own = scores[real.species == species]
        errors = int((own < threshold).sum() if species == "" else (own >= threshold).sum())
        low, high = clopper_pearson(errors, len(own))
        name = f"apcer {species}" if species else "bpcer"
        found[name] = {"value": round(errors / len(own), 3), "interval": [low, high], "n": len(own)}
    record_property("figures", json.dumps(found))
    print(json.dumps({"own": found, "MiniFASNet pair": MINIFASNET}, indent=1))
    write_sheet(real, scores, threshold)
    auc, eer = (found[name] for name in ("auc", "eer"))
    assert isinstance(auc, dict)
    assert isinstance(eer, dict)
    assert auc["value"] > MINIFASNET["auc"]
    assert eer["value"] < MINIFASNET["eer"]


def write_sheet(real: Real, scores: np.ndarray, threshold: float) -> None:
    """Accepted attacks above, refused bona fide below, the worst first; outside the repository."""
    place = os.environ.get("VULTUS_SHEET")
    if not place:
        return
    order = np.argsort(scores)
    taken = [p for p in order[::-1] if not real.live[p] and scores[p] >= threshold][:18]
    refused = [p for p in order if real.live[p] and scores[p] < threshold][:18]
    tiles = [[real.images[p]] for p in [*taken, *refused]]
    if tiles:
        shown = cv2.imdecode(np.frombuffer(sheet(tiles, 112, 6), np.uint8), cv2.IMREAD_COLOR)
        assert cv2.imwrite(place, shown)
        print(f"{len(taken)} attacks, then {len(refused)} bona fide: {place}")


def features_of(real: Real, folder: Path) -> np.ndarray:
    """What the trunk says of the real pictures, float32 [N, D]."""
    import torch

    trunk = read_lite0(folder / "lite0.pth")
    tensor = TensorParams(side=SIDE, mean=127.5, scale=1 / 128)
    crops = pad_tensor(real.images, real.boxes, scales=SCALES, params=tensor)
    with torch.inference_mode():
        parts = [trunk(torch.from_numpy(part)).numpy() for part in np.array_split(crops, 8)]
    return np.concatenate(parts)


def simulated(home: Home, state: Path, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and class of the train split of the newest run, float32 [N, D], bool [N]."""
    runs = sorted(home.runs.glob("*/crop/crops"), key=lambda place: place.stat().st_mtime)
    if not runs:
        pytest.skip(f"no run left its crops in {home.runs}")
    crops = FaceCrops.open(runs[-1]).crops
    listed = rows_of(crops, Split.TRAIN, ("context_sha256", "context_box", "species"))
    params = TrainParams.model_validate({"task": "liveness"})
    params = params.model_copy(update={"pad_side": SIDE, "pad_scales": SCALES})
    describer = Describer(
        read_lite0(folder / "lite0.pth"), params, FolderStore(home.store), ResumeFolder(state), 1e9
    )
    known = describer.described("train", listed, 1)
    return known, np.array([row["species"] is None for row in listed])


def even(live: np.ndarray, share: float) -> np.ndarray:
    """Both classes the same, `share` together; float64 [N]."""
    counts = np.where(live, live.sum(), (~live).sum())
    return share / 2 / counts


def halves(
    simulation: tuple[np.ndarray, np.ndarray], photographed: tuple[np.ndarray, np.ndarray]
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """name, features, class and share of three training sets: simulated, photographed, both."""
    for name, parts in (
        ("simulated", (simulation,)),
        ("photographed", (photographed,)),
        ("both", (simulation, photographed)),
    ):
        yield (
            name,
            np.concatenate([known for known, _ in parts]),
            np.concatenate([live for _, live in parts]),
            np.concatenate([even(live, 1 / len(parts)) for _, live in parts]),
        )


@pytest.mark.slow
def test_real_attacks_in_training_help_on_sources_that_were_left_out(
    home: Home, tmp_path: Path, record_property: Record
) -> None:
    """Leave one source out: trained on renders alone, on the other sources, and on both."""
    if not thorough():
        pytest.skip("asked with VULTUS_SOAK=1: make soak-pad_real")
    folder, real = weights_folder("lite0"), real_presentations()
    known = features_of(real, folder)
    simulation = simulated(home, tmp_path / "state", folder)
    scores: dict[str, np.ndarray] = {}
    for source in real.judged_sources():
        out = real.sources == source
        for name, table, live, shares in halves(simulation, (known[~out], real.live[~out])):
            *_, (_, head) = fit_head(table, live, shares, PULL)
            scores.setdefault(name, np.full(len(out), np.nan))[out] = head(known[out])
    judged = np.isin(real.sources, real.judged_sources())
    part = Real(
        [file for file, kept in zip(real.files, judged, strict=True) if kept],
        [image for image, kept in zip(real.images, judged, strict=True) if kept],
        real.boxes[judged],
        real.species[judged],
        real.sources[judged],
    )
    found = {
        name: figures_of(part, values[judged].astype(np.float32)) for name, values in scores.items()
    }
    record_property("figures", json.dumps(found))
    print(json.dumps(found, indent=1))
    means = {name: figures["auc of sources, mean"] for name, figures in found.items()}
    assert all(isinstance(mean, float) and mean > 0.5 for mean in means.values())
