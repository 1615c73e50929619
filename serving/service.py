"""What every handler stands on: the models in use, the gallery, the log and the counters.

Handlers are plain functions and run in a small pool of threads, so that the event loop stays free;
ONNX Runtime and OpenCV release the interpreter while they work.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from serving.assembly import Assembly, Served
from serving.capture import Capture, feature_row
from serving.decode import Limits, rgb_of, share_of
from serving.metrics import Metrics
from serving.problems import Refusal
from vultus.contracts.answers import FaceAnswer, Models, PadAnswer
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.contracts.words import Reason
from vultus.gallery import Gallery
from vultus.inference.analyser import Analysis, FaceAnalyser
from vultus.inference.thresholds import Thresholds
from vultus.metrics import fmr_from_fpir

_WAITING_AT_MOST = 64
TENANT = "default"
Result = TypeVar("Result")


class Loggable(Protocol):
    """What all answers that are logged have in common."""

    @property
    def request_id(self) -> str:
        """Id of the request."""

    @property
    def reason(self) -> Reason | None:
        """Why it was not decided."""

    @property
    def pad(self) -> PadAnswer:
        """What PAD said."""

    @property
    def models(self) -> Models:
        """Which versions answered."""

    @property
    def latency_ms(self) -> dict[str, float]:
        """Milliseconds by stage."""


@dataclass(frozen=True)
class Ask:
    """Who asks, and how strictly."""

    request_id: str
    fmr: float
    device: str | None = None


class Service:
    """Shared by all routes and KServe models of one server."""

    def __init__(
        self,
        assembly: Assembly,
        gallery: Gallery,
        capture: Capture,
        metrics: Metrics,
        *,
        limits: Limits,
        fmr: float,
        threads: int,
    ) -> None:
        """Args: fmr: where a request names none; threads: requests that are worked on at once."""
        self.assembly = assembly
        self.gallery = gallery
        self.metrics = metrics
        self.limits = limits
        self.fmr = fmr
        self.capture = capture
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._waiting = 0
        metrics.serves(assembly.current.models)
        metrics.enrolled(gallery.count())

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do CPU work in the pool. Raises: Refusal 503, where too many wait already."""
        if self._waiting >= _WAITING_AT_MOST:
            raise Refusal(503, "too many requests wait for an answer", {"Retry-After": "1"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def fmr_asked(self, asked: Mapping[str, object], *, search: bool = False) -> float:
        """FMR of one comparison that a request wants; the server's own where it names none.

        Args: asked: `fmr`, or of a search `fpir`, which goes before it and becomes an FMR by the
            gallery's size.
        Raises: Refusal 400, also for an `fpir` where nobody is searched for: without a word the
            caller would take the answer for stricter than it is.
        """
        fmr, fpir = share_of(asked.get("fmr")), share_of(asked.get("fpir"), "fpir")
        if fpir is None:
            return self.fmr if fmr is None else fmr
        if not search:
            raise Refusal(400, "fpir is of a search among many; send fmr here")
        return fmr_from_fpir(fpir, self.gallery.count())

    def recogniser(self) -> tuple["Watched", Thresholds]:
        """Models and thresholds of one request. Raises: Refusal 503, without a recogniser."""
        served = self.assembly.current
        if served.thresholds is None:
            raise Refusal(503, "no recognition model was promoted; run `vultus run recognition`")
        return Watched(served.analyser), served.thresholds

    def served(self) -> Served:
        """The models of one request."""
        return self.assembly.current

    def picture(self, data: bytes, spent_ms: dict[str, float]) -> RgbImage:
        """Decode one picture, and note the time. Raises: Refusal 413, BadImage."""
        start = time.perf_counter()
        image = rgb_of(data, self.limits)
        spent_ms["decode"] = spent_ms.get("decode", 0.0) + 1e3 * (time.perf_counter() - start)
        return image

    def note(
        self,
        operation: str,
        answer: Loggable,
        ask: Ask,
        *,
        decision: str,
        score: float | None = None,
        threshold: float | None = None,
        face: FaceAnswer | None = None,
        embedding: Embeddings | None = None,
    ) -> None:
        """Count one answer and log its features."""
        seconds = answer.latency_ms.get("total", 0.0) / 1e3
        self.metrics.answered(operation, decision, answer.reason, seconds)
        self.capture.add(
            feature_row(
                request_id=answer.request_id,
                operation=operation,
                tenant=TENANT,
                device=ask.device,
                decision=decision,
                reason=answer.reason,
                score=score,
                threshold=threshold,
                pad=answer.pad,
                face=face,
                models=answer.models,
                latency_ms=answer.latency_ms,
                embedding=embedding,
            )
        )

    def close(self) -> None:
        """Finish what runs, write what waits."""
        self._pool.shutdown(wait=True)
        self.assembly.close()
        self.capture.close()
        self.gallery.close()


class Watched(FaceAnalyser):
    """The analyser of one request; remembers its last embedding, for the sketch in the log."""

    def __init__(self, analyser: FaceAnalyser) -> None:
        super().__init__(
            analyser.detector,
            analyser.encoder,
            analyser.panel,
            recognition=analyser.recognition,
            pad=analyser.pad,
            pad_status=analyser.pad_status,
        )
        self.embedding: Embeddings | None = None

    def analyse(self, image: RgbImage, *, embed: bool = True, pad: bool = True) -> Analysis:
        """As FaceAnalyser does."""
        found = super().analyse(image, embed=embed, pad=pad)
        self.embedding = found.embedding
        return found


def with_decoding(latency_ms: dict[str, float], spent_ms: dict[str, float]) -> dict[str, float]:
    """The stages of an answer and those that ran before it; `total` covers both."""
    total = latency_ms.get("total", 0.0) + sum(spent_ms.values())
    return {**latency_ms, **spent_ms, "total": total}
