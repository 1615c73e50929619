"""The promoted pair before a real KServe process, and the first monitoring pass over its log."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from pipelines.visit import Asked, faces_of, visit
from vultus.contracts.home import Home
from vultus.contracts.seams import Store
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.errors import VultusError
from vultus.registry.process import LoopbackProcess, free_port
from vultus.signing import ChampionPointer


class ServerFailed(VultusError):
    """The KServe process did not start."""


class Served(BaseModel):
    """What a visit to the promoted pair found; kept so that an unchanged pair is not asked again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...]
    asked: tuple[Asked, ...]
    drift_status: str
    drift_answer: str
    drift_page: Path

    @classmethod
    def read(cls, home: Home) -> Self | None:
        """The last visit; None before the first."""
        file = _file(home)
        return cls.model_validate_json(file.read_bytes()) if file.exists() else None


def champions_of(home: Home) -> tuple[str, ...]:
    """The promoted versions, such as ("vultus-recognition/2", "vultus-pad/1")."""
    pointers = (ChampionPointer.read(home, name) for name in (RECOGNITION_MODEL, PAD_MODEL))
    return tuple(f"{found.name}/{found.version}" for found in pointers if found is not None)


def serve_once(
    home: Home,
    crops: Path,
    store: Store,
    api_key: str,
    *,
    said: Callable[[str], None] = lambda _: None,
) -> Served:
    """Start the server, ask it about the test split, stop it, look at what it logged.

    Args: crops: FaceCrops; api_key: the server's; said: told what happens next.
    Raises: ServerFailed, with the end of its log; VultusError, where a request is refused.
    """
    from monitoring.params import MonitorParams
    from monitoring.watch import watch

    faces = faces_of(crops, store)
    said("starting KServe")
    asked = []
    with _server(home) as server:
        for one in visit(server.uri, api_key, faces):
            asked.append(one)
            said(f"{one.operation}: {one.what}")
    said("reading the feature log")
    done = watch(home, MonitorParams(), now=datetime.now(UTC))
    served = Served(
        models=champions_of(home),
        asked=tuple(asked),
        drift_status=done.report.status,
        drift_answer=done.report.answer,
        drift_page=done.files[0],
    )
    _file(home).write_text(served.model_dump_json(indent=2))
    return served


def _server(home: Home) -> LoopbackProcess:
    """`python -m serving` on a free loopback port; its feature log is whole once it has ended."""
    port = free_port()
    return LoopbackProcess(
        "the KServe server",
        [sys.executable, "-m", "serving", "--port", str(port)],
        port=port,
        health="/v2/health/ready",
        log_file=home.root / "serving.log",
        environment={"VULTUS_HOME": str(home.root)},
        error=ServerFailed,
    )


def _file(home: Home) -> Path:
    return home.root / "visit.json"
