"""KServe's own protocols, V1 and V2, over the same functions as our routes."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from serving.decode import instances_of, tensors_of
from serving.embed import embed
from serving.identify import identify_request
from serving.liveness import liveness
from serving.protocol import InferOutput, InferRequest, InferResponse, Model
from serving.service import Ask, Service
from serving.verify import verify

_NO_NUMBER = float("nan")


class FaceModel(Model):
    """One operation as a KServe model.

    V1 answers `{"predictions": [answer, …]}`. V2 answers one tensor a field of interest, shape [N]
    (FP32 without a value: NaN, null in JSON; BYTES without a value: ""), and `answer`, the whole
    record as JSON text.
    """

    inputs: tuple[str, ...] = ("image",)
    searches = False
    """Whether it takes an `fpir` beside the `fmr`."""

    def __init__(self, name: str, service: Service) -> None:
        super().__init__(name)
        self._service = service
        self.ready = True

    @abstractmethod
    def answer(self, pictures: tuple[bytes, ...], ask: Ask) -> BaseModel:
        """One instance -> its record."""

    @abstractmethod
    def tensors(self, answers: Sequence[Any]) -> list[InferOutput]:
        """The fields that V2 gives as tensors."""

    def get_input_types(self) -> list[dict[str, Any]]:
        """What GET /v2/models/<name> says."""
        return [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in self.inputs]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The same for the answer."""
        found = [*self.tensors([]), _texts("answer", [])]
        return [
            {"name": out.name, "datatype": out.datatype, "shape": [-1, *out.shape[1:]]}
            for out in found
        ]

    async def predict(
        self,
        payload: dict[str, Any] | InferRequest,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> dict[str, Any] | InferResponse:
        """Answer every instance. Raises: Refusal, BadImage."""
        sent = headers or {}
        request_id = sent.get("x-request-id") or uuid4().hex
        if isinstance(payload, InferRequest):
            named = {tensor.name: tensor for tensor in payload.inputs}
            instances = tensors_of(named, self.inputs)
            asked: Mapping[str, Any] = payload.parameters or {}
        else:
            instances = instances_of(payload, self.inputs)
            asked = payload
        fmr = self._service.fmr_asked(asked, search=self.searches)
        answers = []
        for number, pictures in enumerate(instances):
            ask = Ask(
                request_id if len(instances) == 1 else f"{request_id}-{number}",
                fmr,
                sent.get("x-vultus-device"),
            )
            answers.append(await self._service.run(partial(self.answer, pictures, ask)))
        if not isinstance(payload, InferRequest):
            return {"predictions": [answer.model_dump(mode="json") for answer in answers]}
        whole = _texts("answer", [answer.model_dump_json() for answer in answers])
        return InferResponse(
            response_id=payload.id or request_id,
            model_name=self.name,
            infer_outputs=[*self.tensors(answers), whole],
            requested_outputs=payload.request_outputs,
            use_binary_outputs=payload.use_binary_outputs,
        )


class VerifyModel(FaceModel):
    """`vultus`: reference and probe."""

    inputs = ("reference", "probe")

    def answer(self, pictures: tuple[bytes, ...], ask: Ask) -> BaseModel:
        """Verify."""
        reference, probe = pictures
        return verify(self._service, reference, probe, ask)

    def tensors(self, answers: Sequence[Any]) -> list[InferOutput]:
        """decision, reason, score, threshold, pad_decision, pad_score."""
        return [*_compared(answers), *_judged(answers)]


class IdentifyModel(FaceModel):
    """`vultus-identify`: image."""

    searches = True

    def answer(self, pictures: tuple[bytes, ...], ask: Ask) -> BaseModel:
        """Identify."""
        return identify_request(self._service, pictures[0], ask)

    def tensors(self, answers: Sequence[Any]) -> list[InferOutput]:
        """The same as verify, and `subject`, the best candidate."""
        best = [a.candidates[0].subject if a.candidates else "" for a in answers]
        return [*_compared(answers), *_judged(answers), _texts("subject", best)]


class LivenessModel(FaceModel):
    """`vultus-liveness`: image."""

    def answer(self, pictures: tuple[bytes, ...], ask: Ask) -> BaseModel:
        """Liveness."""
        return liveness(self._service, pictures[0], ask)

    def tensors(self, answers: Sequence[Any]) -> list[InferOutput]:
        """decision, reason, score, threshold, pad_decision, pad_score."""
        return [*_compared(answers), *_judged(answers)]


class EmbedModel(FaceModel):
    """`vultus-embed`: image."""

    def answer(self, pictures: tuple[bytes, ...], ask: Ask) -> BaseModel:
        """Embed."""
        return embed(self._service, pictures[0], ask)

    def tensors(self, answers: Sequence[Any]) -> list[InferOutput]:
        """embedding FP32 [N, D] (NaN rows without a face), reason, pad_decision, pad_score."""
        length = max((len(a.embedding) for a in answers if a.embedding is not None), default=0)
        rows = [a.embedding or (_NO_NUMBER,) * length for a in answers]
        flat = [value for row in rows for value in row]
        return [
            InferOutput("embedding", [len(rows), length], "FP32", flat),
            _texts("reason", [a.reason or "" for a in answers]),
            *_judged(answers),
        ]


def face_models(service: Service) -> list[Model]:
    """The four models of one server."""
    return [
        VerifyModel("vultus", service),
        IdentifyModel("vultus-identify", service),
        LivenessModel("vultus-liveness", service),
        EmbedModel("vultus-embed", service),
    ]


def _compared(answers: Sequence[Any]) -> list[InferOutput]:
    return [
        _texts("decision", [a.decision.value for a in answers]),
        _texts("reason", [a.reason or "" for a in answers]),
        _numbers("score", [a.score for a in answers]),
        _numbers("threshold", [a.threshold for a in answers]),
    ]


def _judged(answers: Sequence[Any]) -> list[InferOutput]:
    return [
        _texts("pad_decision", [a.pad.decision.value for a in answers]),
        _numbers("pad_score", [a.pad.score for a in answers]),
    ]


def _texts(name: str, values: Sequence[str]) -> InferOutput:
    return InferOutput(name, [len(values)], "BYTES", [str(value) for value in values])


def _numbers(name: str, values: Sequence[float | None]) -> InferOutput:
    numbers = [_NO_NUMBER if value is None else value for value in values]
    return InferOutput(name, [len(values)], "FP32", numbers)
