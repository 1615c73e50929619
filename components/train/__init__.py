"""Train: FaceCrops -> Checkpoint."""

from components.train.params import TrainParams
from components.train.step import TrainReport, train_model

__all__ = ["TrainParams", "TrainReport", "train_model"]
