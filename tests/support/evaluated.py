"""Drawn faces and a small model trained on them, ready to be evaluated; for tests of that step."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from components.evaluate import EvaluateParams, EvaluateReport, evaluate_model
from components.evaluate.attempts import VersionOf
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.storage import FolderStore

QUICK = {"replicates": 60, "worst": 0, "condition_faces": 0}
RECOGNITION = {"task": "recognition", "epochs": 0}
"""The packaged trunk as it is."""
LIVENESS = {"task": "liveness", "epochs": 1, "views": 1, "pad_side": 32, "pad_member": "own"}
Judged = tuple[EvaluateReport, EvaluationReport]


@dataclass(frozen=True)
class Bench:
    """`crops` of twelve drawn people, four in each split, and a `checkpoint`, below `root`."""

    root: Path

    @classmethod
    def at(cls, root: Path, *weights: str, **train: object) -> "Bench":
        """Args: weights: pretrained files it needs; train: TrainParams."""
        bench = cls(root)
        make_crops(bench.crops, bench.store, subjects=12)
        train_model(
            bench.crops,
            bench.checkpoint,
            TrainParams.model_validate(train),
            store=bench.store,
            tracker=None,
            resume=root / "resume",
            weights=weights_folder(*weights),
        )
        return bench

    @property
    def store(self) -> FolderStore:
        """Pictures of the crops."""
        return FolderStore(self.root / "store")

    @property
    def crops(self) -> Path:
        """FaceCrops."""
        return self.root / "crops"

    @property
    def checkpoint(self) -> Path:
        """Checkpoint."""
        return self.root / "checkpoint"

    @property
    def rows(self) -> pa.Table:
        """Of the crops."""
        return FaceCrops.open(self.crops).crops

    def evaluate(
        self,
        out: Path,
        crops: Path | None = None,
        *,
        version_of: VersionOf | None = None,
        weights: Path | None = None,
        **params: object,
    ) -> Judged:
        """Evaluate into `out`, quickly where `params` say nothing else."""
        report = evaluate_model(
            self.checkpoint,
            crops or self.crops,
            out,
            EvaluateParams.model_validate({**QUICK, **params}),
            store=self.store,
            version_of=version_of,
            weights=weights,
        )
        return report, EvaluationReport.open(out)

    def without(self, folder: Path, mask: pa.ChunkedArray) -> Path:
        """Crops that lack the rows of `mask`, in `folder`."""
        artifact = FaceCrops.open(self.crops)
        kept = artifact.crops.filter(pc.invert(mask))
        FaceCrops.write(
            folder, crops=kept, quarantine=artifact.quarantine, made_by="test", facts={}
        )
        return folder
