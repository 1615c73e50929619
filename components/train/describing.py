"""Crops -> features of a frozen trunk, each made once and kept while the training lives.

A killed training describes no picture twice and ends with the same weights: chunks are always the same
ones, and everything that follows is decided by the features.
"""

import logging
import time

import numpy as np
import torch
from numpy.typing import NDArray

from components.train.augmentation import relit
from components.train.panel import tensor_params
from components.train.params import TrainParams
from components.train.pictures import Row
from components.train.presentations import cut
from vultus.contracts.seams import Store
from vultus.errors import TrainingFailed
from vultus.networks.lite0 import WIDTH, Lite0
from vultus.networks.resume import ResumeFolder

logger = logging.getLogger(__name__)
_CHUNK = 32
"""Pictures described at a time."""
_REPORT_S = 5.0

Features = NDArray[np.float32]


class Describer:
    """Describes crops with a trunk; what it has described so far is the training's state."""

    def __init__(
        self,
        trunk: Lite0,
        params: TrainParams,
        store: Store,
        resume: ResumeFolder,
        save_every_s: float,
    ) -> None:
        self._trunk = trunk.to(memory_format=torch.channels_last)
        self._params, self._store = params, store
        self._tensor = tensor_params(params)
        self._resume, self._save_every_s = resume, save_every_s
        self._state: dict[str, torch.Tensor] = resume.load() or {}
        self._saved = time.monotonic()

    def described(self, name: str, rows: list[Row], views: int) -> Features:
        """Features of every view of every crop, float32 [len(rows) * views, D].

        The first view is the crop as it was found; the others are jittered and relit.

        Args: name: under which they are kept.
        Raises: StorageUnavailable; BadArtifact, if the store lost a picture; TrainingFailed, for
            features that are no numbers (names the file that holds the crops).
        """
        done = self._state.get(name, torch.empty(0, WIDTH))
        began, reported, start = time.monotonic(), time.monotonic(), len(done) // views
        if start:
            logger.info("describing resumed", extra={"split": name, "done": start})
        parts = [done]
        for first in range(start, len(rows), _CHUNK):
            parts.append(self._features(rows[first : first + _CHUNK], first, views))
            if self._due():
                parts = [torch.cat(parts)]
                self._keep(name, parts[0])
            now = time.monotonic()
            if now - reported > _REPORT_S:
                rate = (first + _CHUNK - start) / (now - began)
                left_s = round((len(rows) - first) / rate)
                facts = {"done": first + _CHUNK, "of": len(rows), "left_s": left_s}
                logger.info("describing crops", extra={**facts, "rate": round(rate, 1)})
                reported = now
        known = torch.cat(parts)
        self._keep(name, known)
        return np.asarray(known.numpy(), np.float32)

    def _due(self) -> bool:
        return time.monotonic() - self._saved > self._save_every_s

    @torch.no_grad()
    def _features(self, rows: list[Row], first: int, views: int) -> torch.Tensor:
        crops = cut(rows, self._params, self._store, views, first=first)
        scaled = (crops.astype(np.float32) - np.float32(self._tensor.mean)) * np.float32(
            self._tensor.scale
        )
        rng = np.random.default_rng([self._params.seed, first])
        found = []
        for view in range(views):
            batch = torch.from_numpy(np.ascontiguousarray(scaled[:, view]))
            if view:
                batch = relit(batch, self._params.pad_augment, rng)
            found.append(self._trunk(batch.contiguous(memory_format=torch.channels_last)))
        known = torch.stack(found, dim=1).flatten(0, 1)
        if not bool(torch.isfinite(known).all()):
            place = self._resume.write("failed_batch.pt", [torch.from_numpy(crops)])
            raise TrainingFailed(
                f"features of pictures {first} to {first + len(rows) - 1} are no numbers; the crops "
                f"are in {place}; look for broken pictures there, or fetch the weights lite0 again"
            )
        return known

    def _keep(self, name: str, known: torch.Tensor) -> None:
        self._state[name] = known
        self._resume.save(self._state)
        self._saved = time.monotonic()
