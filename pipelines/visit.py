"""What a run does with its promoted pair: serve it, ask it over HTTP, forget whom it enrolled.

Every request goes through a real KServe process; what it logs becomes the first drift report.
"""

import base64
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pyarrow.compute as pc

from vultus.client import Client
from vultus.contracts.faces import FaceCrops
from vultus.contracts.seams import Store
from vultus.contracts.words import Split

_PEOPLE = 12
_TIMEOUT_S = 30.0
_PREFIX = "first-visit-"


@dataclass
class Asked:
    """One kind of request: how often, what was answered, how long it took."""

    what: str
    address: str
    answers: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        """Median wall time of one request, seen by the caller."""
        return median(self.milliseconds)


@dataclass(frozen=True)
class Faces:
    """Pictures of the test split: per subject at least two bona fide ones, and attacks."""

    people: list[list[bytes]]
    attacks: list[bytes]


def faces_of(crops: Path, store: Store) -> Faces:
    """Read them from the store. Raises: BadArtifact, StorageUnavailable."""
    table = FaceCrops.open(crops).crops
    table = table.filter(pc.equal(table["split"], Split.TEST.value))
    people: dict[str, list[str]] = {}
    attacks: list[str] = []
    for row in table.select(["image_sha256", "subject", "species", "simulated"]).to_pylist():
        if row["species"] is not None:
            attacks.append(row["image_sha256"])
        elif not row["simulated"]:
            people.setdefault(row["subject"], []).append(row["image_sha256"])
    several = [images for images in people.values() if len(images) > 1][:_PEOPLE]
    return Faces(
        [[store.get(image) for image in images[:3]] for images in several],
        [store.get(image) for image in attacks[:_PEOPLE]],
    )


def visit(base_url: str, api_key: str, faces: Faces) -> Iterator[Asked]:
    """Ask every endpoint about these faces; whoever was enrolled is deleted at the end.

    Yields: one Asked a kind of request, when it is through.
    Raises: VultusError, where the server refuses a request.
    """
    client = Client(base_url, api_key)
    people = faces.people
    names = [f"{_PREFIX}{index}" for index in range(len(people))]
    mated = [(images[0], images[1]) for images in people]
    strangers = [(images[0], people[index - 1][1]) for index, images in enumerate(people)]
    verify = "POST /api/v1/verify"
    yield _ask("same person", verify, mated, lambda pair: client.verify(*pair).decision)
    yield _ask("strangers", verify, strangers, lambda pair: client.verify(*pair).decision)
    bona_fide = [images[0] for images in people]
    liveness = "POST /api/v1/liveness"
    yield _ask("bona fide", liveness, bona_fide, lambda one: client.liveness(one).decision)
    yield _ask(
        "simulated attack", liveness, faces.attacks, lambda one: client.liveness(one).decision
    )
    try:
        yield _ask(
            "enrol",
            "PUT /api/v1/subjects/{id}/references",
            list(zip(names, bona_fide, strict=True)),
            lambda pair: client.enrol(*pair).decision,
        )
        again = [images[-1] for images in people]
        yield _ask(
            "identify", "POST /api/v1/identify", again, lambda one: client.identify(one).decision
        )
    finally:
        yield _ask(
            "delete",
            "DELETE /api/v1/subjects/{id}",
            names,
            lambda name: "deleted" if client.delete(name) is not None else "unknown",
        )
    for what, path, body in (_v1(mated[0]), _v2(mated[0])):
        yield _ask(what, f"POST {path}", [body], lambda one: _infer(base_url, api_key, path, one))


def _ask(what: str, address: str, questions: list[Any], ask: Callable[[Any], str]) -> Asked:
    asked = Asked(what, address)
    for question in questions:
        start = time.monotonic()
        asked.answers[str(ask(question))] += 1
        asked.milliseconds.append(1000 * (time.monotonic() - start))
    return asked


def _v1(pair: tuple[bytes, bytes]) -> tuple[str, str, Any]:
    reference, probe = ({"b64": base64.b64encode(image).decode()} for image in pair)
    body = {"instances": [{"reference": reference, "probe": probe}]}
    return "KServe V1", "/v1/models/vultus:predict", body


def _v2(pair: tuple[bytes, bytes]) -> tuple[str, str, Any]:
    tensors = [
        {
            "name": name,
            "shape": [1],
            "datatype": "BYTES",
            "data": [base64.b64encode(image).decode()],
        }
        for name, image in zip(("reference", "probe"), pair, strict=True)
    ]
    return "KServe V2", "/v2/models/vultus/infer", {"inputs": tensors}


def _infer(base_url: str, api_key: str, path: str, body: Any) -> str:
    answer = httpx.post(
        f"{base_url}{path}",
        json=body,
        headers={"Authorization": f"Bearer {api_key}"},
        timeout=_TIMEOUT_S,
    )
    answer.raise_for_status()
    said = answer.json()
    if "predictions" in said:
        return str(said["predictions"][0]["decision"])
    return str(next(t["data"][0] for t in said["outputs"] if t["name"] == "decision"))
