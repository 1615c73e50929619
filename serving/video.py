"""Frames → a decision over time. Pure: no clock, no network, no model of its own.

One frame lies easily: a blurred one, a reflection, a lucky angle. The median of the last few does not,
as long as they show one face that never left the picture and were judged by one panel member.
"""

from dataclasses import dataclass, field
from statistics import median

from vultus.contracts.answers import LivenessAnswer, StreamAnswer
from vultus.contracts.words import PadDecision, Reason
from vultus.faces.context import TIGHT_BELOW_ROOM
from vultus.inference.panel import MOVE_BACK

FRAMES = 7
NEEDED = 3
WINDOW_S = 3.0
GAP_S = 1.0
HOLD_STILL = "look into the camera and hold still for a moment"


@dataclass(frozen=True)
class Seen:
    """One judged frame."""

    at_s: float
    member: str
    score: float
    threshold: float


@dataclass(frozen=True)
class Watch:
    """What is remembered of a stream; `with_frame` gives the next state."""

    frames: int = FRAMES
    needed: int = NEEDED
    window_s: float = WINDOW_S
    gap_s: float = GAP_S
    seen: tuple[Seen, ...] = field(default=())

    def with_frame(self, at_s: float, answer: LivenessAnswer) -> "Watch":
        """The state after one more frame.

        Args:
            at_s: when it came, seconds, never falling.
            answer: what was said of this frame alone.
        A frame without one judged face empties the memory: somebody else may have stepped in. So does
        a pause of more than `gap_s`.
        """
        new = _seen(at_s, answer)
        if new is None:
            return self._holding(())
        kept = self.seen
        if kept and at_s - kept[-1].at_s > self.gap_s:
            kept = ()
        kept = tuple(
            one for one in kept if one.member == new.member and at_s - one.at_s <= self.window_s
        )
        return self._holding((*kept, new)[-self.frames :])

    def answer(self, last: LivenessAnswer) -> StreamAnswer:
        """What the stream comes to. last: the answer that `with_frame` was given last."""
        decision, reason, hint = PadDecision.NOT_DECIDED, last.reason, last.pad.hint
        score = median(one.score for one in self.seen) if self.seen else None
        threshold = self.seen[-1].threshold if self.seen else None
        if _too_close(last):
            reason, hint = Reason.PAD_UNAVAILABLE, MOVE_BACK
        elif score is not None and threshold is not None:
            reason = None
            if len(self.seen) < self.needed:
                hint = HOLD_STILL
            elif score >= threshold:
                decision = PadDecision.BONA_FIDE
            else:
                decision, reason = PadDecision.ATTACK, Reason.ATTACK
        return StreamAnswer(
            request_id=last.request_id,
            decision=decision,
            reason=reason,
            score=score,
            threshold=threshold,
            frames=len(self.seen),
            needed=self.needed,
            hint=hint,
            pad=last.pad,
            face=last.face,
            models=last.models,
            latency_ms=last.latency_ms,
        )

    def _holding(self, seen: tuple[Seen, ...]) -> "Watch":
        return Watch(self.frames, self.needed, self.window_s, self.gap_s, seen)


def _seen(at_s: float, answer: LivenessAnswer) -> Seen | None:
    """A frame that counts: one face, with room around it, judged by a member."""
    pad = answer.pad
    if pad.member is None or pad.score is None or pad.threshold is None or _too_close(answer):
        return None
    return Seen(at_s, pad.member, pad.score, pad.threshold)


def _too_close(answer: LivenessAnswer) -> bool:
    """A camera gives room; a face that fills the frame hides the edges of a print or a screen."""
    return answer.pad.room is not None and answer.pad.room < TIGHT_BELOW_ROOM
