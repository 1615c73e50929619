"""PAD: several networks, each believed only where it was shown to work.

Room (how far the face's box can grow inside the picture) decides which member speaks; no two speak of
the same picture, and nothing is averaged. The ONNX files end before softmax or sigmoid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Box, Boxes, RgbImage, Scores
from vultus.contracts.transform import LivenessTransform, PanelMember
from vultus.contracts.words import Evidence, PadDecision, Reason
from vultus.errors import TransformMismatch
from vultus.faces.context import room
from vultus.faces.tensor import pad_tensor
from vultus.inference.session import session_of

_BATCH = 32
MOVE_BACK = "move back, so that more than the face is in the picture"
MOVE_CLOSER = "move closer, so that the face fills more of the picture"


@dataclass(frozen=True)
class PadJudgement:
    """What the panel says of one face; `score` and `member` are None where nobody could speak."""

    decision: PadDecision
    room: float | None = None
    score: float | None = None
    threshold: float | None = None
    member: str | None = None
    evidence: Evidence | None = None
    reason: Reason | None = None
    hint: str | None = None


class OnnxPadMember:
    """A PadScorer: one network of the panel; safe for several threads."""

    def __init__(self, file: Path, member: PanelMember, threads: int = 1) -> None:
        """Open the session. Raises: WeightsUnavailable; TransformMismatch, if shapes disagree."""
        self.member = member
        self._session = session_of(file, threads=threads)
        inlet = self._session.get_inputs()[0]
        self._inlet = inlet.name
        expected = [3 * len(member.scales), member.tensor.side, member.tensor.side]
        if list(inlet.shape[1:]) != expected:
            raise TransformMismatch(
                f"panel member {member.name} expects {inlet.shape}, its transform prepares "
                f"[N, {', '.join(map(str, expected))}]; export the panel again"
            )
        # Some published networks were exported for one picture at a time.
        self._batch = inlet.shape[0] if isinstance(inlet.shape[0], int) else _BATCH

    def score(self, images: Sequence[RgbImage], boxes: Boxes) -> Scores:
        """Images with the face box of each, in its own pixels -> float32 [N] in [0, 1]."""
        scores = np.empty(len(images), np.float32)
        for start in range(0, len(images), self._batch):
            part = slice(start, start + self._batch)
            tensor = pad_tensor(
                images[part],
                boxes[part],
                scales=self.member.scales,
                params=self.member.tensor,
            )
            scores[part] = bona_fide(
                self._session.run(None, {self._inlet: tensor})[0], self.member.output
            )
        return scores


class PadPanel:
    """The members of one LivenessTransform; `judge` asks the one whose room it is."""

    def __init__(self, folder: Path, transform: LivenessTransform, threads: int = 1) -> None:
        """Open every member below `folder`.

        Raises: WeightsUnavailable; TransformMismatch, if two members claim the same room or one
            has no threshold.
        """
        self.transform = transform
        self._members = sorted(transform.members, key=lambda member: member.room_min)
        _check(self._members)
        self._scorers = [
            OnnxPadMember(folder / member.file, member, threads) for member in self._members
        ]

    def judge(self, image: RgbImage, box: Box) -> PadJudgement:
        """One face of one picture, box float32 [4] in its pixels."""
        if not self._members:
            return PadJudgement(PadDecision.NOT_DECIDED, reason=Reason.PAD_UNAVAILABLE)
        space = room(box, image.shape)
        for member, scorer in zip(self._members, self._scorers, strict=True):
            if member.room_min <= space < member.room_max:
                score = float(scorer.score([image], box[None])[0])
                return _judged(score, member, space)
        too_tight = space < self._members[-1].room_min
        return PadJudgement(
            PadDecision.NOT_DECIDED,
            room=space,
            reason=Reason.PAD_UNAVAILABLE,
            hint=MOVE_BACK if too_tight else MOVE_CLOSER,
        )


def _judged(score: float, member: PanelMember, space: float) -> PadJudgement:
    accepted = member.threshold is not None and score >= member.threshold
    return PadJudgement(
        PadDecision.BONA_FIDE if accepted else PadDecision.ATTACK,
        room=space,
        score=score,
        threshold=member.threshold,
        member=member.name,
        evidence=member.evidence,
        reason=None if accepted else Reason.ATTACK,
    )


def _check(members: Sequence[PanelMember]) -> None:
    for member in members:
        if member.threshold is None:
            raise TransformMismatch(
                f"panel member {member.name} has no threshold; evaluate sets it, export writes it"
            )
    for lower, upper in pairwise(members):
        if lower.room_max > upper.room_min:
            raise TransformMismatch(
                f"panel members {lower.name} and {upper.name} both claim room {upper.room_min}; "
                "their ranges must not overlap"
            )


def bona_fide(raw: NDArray[np.float32], output: str) -> Scores:
    """Network output -> probability of bona fide, float32 [N]."""
    answers = np.asarray(raw, np.float64)
    if output == "logit":
        return (1 / (1 + np.exp(-np.clip(answers.reshape(len(answers)), -60, 60)))).astype(
            np.float32
        )
    powers = np.exp(answers - answers.max(axis=1, keepdims=True))
    column = 0 if output == "softmax0" else 1
    return np.asarray(powers[:, column] / powers.sum(axis=1), np.float32)
