"""What a run does with its promoted pair: serve it, ask it over HTTP, forget whom it enrolled.

Every request goes through a real KServe process; what it logs becomes the first drift report.
"""

import base64
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from vultus.client import Client
from vultus.contracts.faces import FaceCrops
from vultus.contracts.seams import Store
from vultus.contracts.words import Split
from vultus.errors import VultusError

_PEOPLE = 12
_REQUESTS = 90
"""Of verify and of liveness at most: a drift test wants 50 rows of one decision."""
_TIMEOUT_S = 30.0
_PREFIX = "first-visit-"


class VisitFailed(VultusError):
    """The server did not answer a request of KServe's own protocols."""


class Asked(BaseModel):
    """One kind of request: what was answered how often, and how long one took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    operation: str
    answers: dict[str, int] = Field(description="decision -> requests")
    median_ms: float | None = Field(description="wall time, seen by the caller")


@dataclass(frozen=True)
class Faces:
    """Pictures of the test split.

    people: per subject at least two untouched bona fide ones; bona_fide: a draw of those that the panel
    was evaluated on, simulated captures too, so that the first drift report compares like with like.
    """

    people: list[list[bytes]]
    bona_fide: list[bytes]
    attacks: list[bytes]


def faces_of(crops: Path, store: Store) -> Faces:
    """Read them from the store. Raises: BadArtifact, StorageUnavailable."""
    table = FaceCrops.open(crops).crops
    table = table.filter(pc.equal(table["split"], Split.TEST.value))
    people: dict[str, list[str]] = {}
    bona_fide, attacks = list[str](), list[str]()
    for row in table.select(["image_sha256", "subject", "species", "simulated"]).to_pylist():
        if row["species"] is not None:
            attacks.append(row["image_sha256"])
            continue
        bona_fide.append(row["image_sha256"])
        if not row["simulated"]:
            people.setdefault(row["subject"], []).append(row["image_sha256"])
    several = [images for images in people.values() if len(images) > 1]
    each = max(2, _REQUESTS // max(1, len(several)))
    shown = random.Random(0).sample(bona_fide, min(_REQUESTS, len(bona_fide)))
    return Faces(
        [[store.get(image) for image in images[:each]] for images in several[:_REQUESTS]],
        [store.get(image) for image in shown],
        [store.get(image) for image in attacks[:_PEOPLE]],
    )


def visit(base_url: str, api_key: str, faces: Faces) -> Iterator[Asked]:
    """Ask every endpoint about these faces; whoever was enrolled is deleted at the end.

    Yields: one Asked a kind of request, when it is through.
    Raises: VultusError, where the server refuses a request.
    """
    people = faces.people[:_PEOPLE]
    names = [f"{_PREFIX}{index}" for index in range(len(people))]
    mated = [pair for images in faces.people for pair in pairwise(images)]
    strangers = [(images[0], people[index - 1][1]) for index, images in enumerate(people)]
    first, newest = [images[0] for images in people], [images[-1] for images in people]
    with Client(base_url, api_key) as client:
        yield _ask("same person", "verify", mated, lambda two: client.verify(*two).decision)
        yield _ask("strangers", "verify", strangers, lambda two: client.verify(*two).decision)
        yield _ask(
            "bona fide", "liveness", faces.bona_fide, lambda one: client.liveness(one).decision
        )
        yield _ask(
            "simulated attack", "liveness", faces.attacks, lambda one: client.liveness(one).decision
        )
        known = []

        def enrol(pair: tuple[str, bytes]) -> str:
            answer = client.enrol(*pair)
            if answer.references:
                known.append(answer.subject)
            return answer.decision

        try:
            yield _ask("new person", "enrol", list(zip(names, first, strict=True)), enrol)
            yield _ask("again", "identify", newest, lambda one: client.identify(one).decision)
        finally:
            gone = _ask("forget", "delete", known, lambda name: client.delete(name).decision)
        yield gone
    protocols = {"KServe V1": _v1(mated[0]), "KServe V2": _v2(mated[0])}
    for name, question in protocols.items():
        yield _ask(name, "verify", [question], lambda one: _infer(base_url, api_key, *one))


def _ask(what: str, operation: str, questions: list[Any], ask: Callable[[Any], str]) -> Asked:
    answers, milliseconds = Counter[str](), []
    for question in questions:
        start = time.monotonic()
        answers[str(ask(question))] += 1
        milliseconds.append(1000 * (time.monotonic() - start))
    return Asked(
        what=what,
        operation=operation,
        answers=dict(answers),
        median_ms=median(milliseconds) if milliseconds else None,
    )


def _v1(pair: tuple[bytes, bytes]) -> tuple[str, Any]:
    reference, probe = ({"b64": base64.b64encode(image).decode()} for image in pair)
    body = {"instances": [{"reference": reference, "probe": probe}]}
    return "/v1/models/vultus:predict", body


def _v2(pair: tuple[bytes, bytes]) -> tuple[str, Any]:
    tensors = [
        {
            "name": name,
            "shape": [1],
            "datatype": "BYTES",
            "data": [base64.b64encode(image).decode()],
        }
        for name, image in zip(("reference", "probe"), pair, strict=True)
    ]
    return "/v2/models/vultus/infer", {"inputs": tensors}


def _infer(base_url: str, api_key: str, path: str, body: Any) -> str:
    """KServe's own protocols, asked as any of its clients would."""
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        answer = httpx.post(base_url + path, json=body, headers=headers, timeout=_TIMEOUT_S)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise VisitFailed(f"{base_url}{path} did not answer: {error}") from error
    said = answer.json()
    if "predictions" in said:
        return str(said["predictions"][0]["decision"])
    return str(next(t["data"][0] for t in said["outputs"] if t["name"] == "decision"))
