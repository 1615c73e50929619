"""Seen and unseen apart, and how real the simulation looks; on drawn faces."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from components.evaluate import EvaluateParams, evaluate_model
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.dataset.leftout import LeftOut
from vultus.errors import BadParameter
from vultus.networks.load import OWN_MEMBER
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow

TRAIN = {"task": "liveness", "pad_network": "compact", "epochs": 1, "views": 1, "pad_side": 32}
NETWORKS = [
    {"pad_network": "compact"},
    {"pad_network": "lite0-frozen"},
    {"pad_network": "minifasnet", "pad_frequency": "none"},
    {"pad_network": "mobilenet-v3-small", "pad_frequency": "dct", "pad_side": 64},
    {"pad_network": "mobilenet-v3-large", "pad_side": 64, "pad_auxiliary": {"species": 0.5}},
    {"pad_network": "efficientnet-b0", "pad_side": 64},
    {"pad_network": "xception", "pad_side": 64},
]


def two_sources(folder: Path) -> None:
    """Every fifth row comes from elsewhere; simulated attacks went through a camera."""
    artifact = FaceCrops.open(folder)
    crops = artifact.crops
    places = pa.array(["elsewhere" if row % 5 == 0 else "here" for row in range(crops.num_rows)])
    camera = pa.array(
        [json.dumps({"camera": {}}) if s else None for s in crops["species"].to_pylist()]
    )
    for name, values in (("source", places), ("simulation", camera)):
        index = crops.schema.get_field_index(name)
        crops = crops.set_column(index, crops.schema.field(name), values)
    FaceCrops.write(folder, crops=crops, quarantine=artifact.quarantine, made_by="test", facts={})


def judged(
    root: Path, leave_out: list[str], member: str = "own", **network: Any
) -> EvaluationReport:
    store = FolderStore(root / "store")
    make_crops(root / "crops", store, subjects=12)
    two_sources(root / "crops")
    names = [member] if member != "own" else []
    if network.get("pad_network") == "lite0-frozen":
        names.append("lite0")
    train_model(
        root / "crops",
        root / "checkpoint",
        TrainParams.model_validate(
            {**TRAIN, **network, "leave_out": leave_out, "pad_member": member}
        ),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=weights_folder(*names),
    )
    params = EvaluateParams(replicates=60, worst=0, max_bpcer=0.2)
    evaluate_model(root / "checkpoint", root / "crops", root / "out", params, store=store)
    return EvaluationReport.open(root / "out")


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(one, id=one["pad_network"], marks=[pytest.mark.slow] if place else [])
        for place, one in enumerate(NETWORKS)
    ],
)
def test_an_unseen_species_stands_apart_and_sets_no_threshold(
    tmp_path: Path, network: dict[str, Any]
) -> None:
    written = judged(tmp_path, ["species=replay", "source=elsewhere"], **network)
    scores = written.scores.to_pandas()
    validation = scores[scores.split == "validation"]
    assert "replay" not in set(validation.species)
    crops = FaceCrops.open(tmp_path / "crops").crops
    kept = pc.and_(pc.equal(crops["split"], "test"), pc.equal(crops["source"], "here"))
    replays = crops.filter(pc.and_(kept, pc.equal(crops["species"], "replay")))
    images = set(replays["context_sha256"].to_pylist())
    threshold = np.float32(written.manifest.facts["member_thresholds"][OWN_MEMBER])
    own = scores[(scores.member == OWN_MEMBER) & (scores.split == "test")]
    accepted = own[own.image.isin(images)].pad_score >= threshold
    figure = written.figure("apcer", f"seen=no,species=replay,{OWN_MEMBER}")
    assert figure is not None
    assert (figure.n, figure.value) == (len(images), pytest.approx(accepted.mean()))
    seen = written.figure("apcer", f"seen=yes,{OWN_MEMBER}")
    assert seen is not None
    assert "replay" not in seen.method
    assert written.figure("pad_auc", "seen=no,source=elsewhere,panel") is not None
    assert "Seen and unseen in training" in (written.path / "report.html").read_text()


def test_nothing_left_out_is_no_table(tmp_path: Path) -> None:
    written = judged(tmp_path, [])
    assert not [figure for figure in written.figures if "seen=" in figure.slice]
    assert "Seen and unseen" not in (written.path / "report.html").read_text()


@pytest.mark.parametrize("said", ["replay", "species=", "species=hologram", "person=anna"])
def test_what_cannot_be_left_out_is_refused(said: str) -> None:
    with pytest.raises(BadParameter, match="leave_out"):
        LeftOut.parse([said])


def test_a_source_that_nobody_has_is_a_slip_of_the_pen(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="nowhere"):
        judged(tmp_path, ["source=nowhere"])


def test_a_network_of_real_attacks_judges_the_simulation(tmp_path: Path) -> None:
    written = judged(tmp_path, [], "npm-liveness")
    scores = written.scores.to_pandas()
    full = scores[scores.slices.map(lambda names: "room=full" in names)]
    prints = full[(full.member == "npm-liveness") & (full.species == "print")].pad_score
    figure = written.figure("realism", "simulated print, npm-liveness")
    assert figure is not None
    assert figure.n == len(prints)
    assert figure.value == pytest.approx(float(np.median(prints)), abs=1e-6)
    assert written.figure("realism", "bona fide as it came, npm-liveness") is not None
    assert "How real the simulation looks" in (written.path / "report.html").read_text()


def test_every_network_is_among_them() -> None:
    names = get_args(TrainParams.model_fields["pad_network"].annotation)
    assert {one["pad_network"] for one in NETWORKS} == set(names)
