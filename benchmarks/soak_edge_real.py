"""The edge recogniser taught by SFace on real faces, asked about people it never saw.

The ten folds of the real pairs share no person; they are put into `--parts` groups. For each group a
network goes on from `--checkpoint` (made on renders, see benchmarks/edge.py) with the faces of the other
groups, without labels, and scores the pairs of this one. Figures are over all pairs. No network and no
face is kept.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import say, weights_folder
from benchmarks.real_pairs import RealPairs
from components.train import TrainParams
from components.train.chips import taught_views
from components.train.embedder import ChipLesson, teacher_of, training_of
from vultus.contracts.arrays import RgbBatch
from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import RecognitionTransform
from vultus.networks.embedders.embedder import UnitEmbedder
from vultus.networks.encoder import TorchEncoder
from vultus.networks.engine import fit
from vultus.networks.load import encoder_from, network_from
from vultus.networks.schedule import FitParams


def main() -> None:
    """Train once a group; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--checkpoint", type=Path, required=True)
    options.add_argument("--parts", type=int, default=2)
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--views", type=int, default=6)
    given = options.parse_args()
    torch.set_num_threads(1)
    pairs, start = RealPairs.load(), Checkpoint.open(given.checkpoint)
    params = TrainParams.model_validate(
        {
            "task": "recognition",
            "network": "edge",
            "teacher": "sface",
            "epochs": given.epochs,
            "views": given.views,
            "batch": 32,
            "lr": 2e-3,
        }
    )
    scores = np.empty(len(pairs.same), np.float32)
    for part in range(given.parts):
        asked = pairs.fold % given.parts == part
        others = pairs.chips_of(set(pairs.fold[~asked].tolist()))
        scores[asked] = pairs.scores(taught(start, others, params))[asked]
    say(
        {
            "before": pairs.figures(pairs.scores(encoder_from(start))),
            "taught_on_real_faces": pairs.figures(scores),
            "params": params.model_dump(mode="json", include={"epochs", "views", "batch", "lr"}),
            "parts": given.parts,
        }
    )


def taught(start: Checkpoint, chips: RgbBatch, params: TrainParams) -> TorchEncoder:
    """The network of `start` after more lessons on these chips."""
    network, transform = network_from(start), start.transform
    assert isinstance(network, UnitEmbedder)
    assert isinstance(transform, RecognitionTransform)
    teacher = teacher_of(params, weights_folder())
    assert teacher is not None
    with tempfile.TemporaryDirectory() as folder:
        views, wanted = taught_views(chips, params, teacher, Path(folder))
        alone = np.zeros(len(views), np.int64)
        nobody = (chips[:0], alone[:0])
        lesson = ChipLesson(views, alone, np.arange(len(views)), nobody, params, transform, wanted)
        training = training_of(network.embedder.requires_grad_(True), lesson, params)
        shared = params.model_dump(include=set(FitParams.__dataclass_fields__))
        fit(training, lesson, FitParams(**shared, threads=1))
    return TorchEncoder(UnitEmbedder(training.embedder), transform)


if __name__ == "__main__":
    main()
