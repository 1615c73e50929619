"""A server in this process: real routes, real detector, tiny signed models, a gallery on disk."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from prometheus_client import CollectorRegistry

from serving.application import application
from serving.assembly import Assembly, Source
from serving.capture import Capture
from serving.decode import Limits
from serving.metrics import Metrics
from serving.models import face_models
from serving.protocol import ModelServer, RESTServer
from serving.service import Service
from vultus.contracts.home import Home
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.gallery import Gallery
from vultus.signing import load_or_create_key, public_key_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette would rather have httpx2; kserve brings httpx
    from starlette.testclient import TestClient

__all__ = ["KEY", "LIMITS", "TestClient", "World", "serve_home"]

KEY = "vultus_" + "k" * 43
LIMITS = Limits(image_bytes=400_000, image_pixels=4_000_000)


@dataclass
class World:
    """A served home."""

    home: Home
    service: Service
    http: TestClient

    def rows(self) -> pa.Table:
        """The whole feature log, written now."""
        self.service.capture.flush()
        files = sorted(self.home.features.rglob("*.parquet"))
        return pa.concat_tables([pq.ParquetFile(f).read().cast(FEATURE_SCHEMA) for f in files])

    def metric(self, name: str, **labels: str) -> float:
        """One series, 0 before it exists."""
        return self.service.metrics.registry.get_sample_value(name, labels) or 0.0


def serve_home(home: Home, *, requests_per_s: float = 10_000.0) -> World:
    """Build everything that `python -m serving` builds, but for the socket."""
    metrics = Metrics(CollectorRegistry())

    def nothing(_: str) -> Path | None:
        return None

    sources = [
        Source(f"models:/{name}@champion", home, nothing)
        for name in ("vultus-recognition", "vultus-pad")
    ]
    assembly = Assembly(
        *sources,
        public_key_of(load_or_create_key(home.keys / "signing.pem")),
        changed=lambda outcome, _: metrics.reloaded(outcome),
    )
    service = Service(
        assembly,
        Gallery(home.gallery, b"g" * 32),
        Capture(home.features, lost=metrics.rows_lost),
        metrics,
        limits=LIMITS,
        fmr=1e-3,
        threads=2,
    )
    server = ModelServer(enable_grpc=False)
    for model in face_models(service):
        server.register_model(model)
    rest = RESTServer("", server.dataplane, server.model_repository_extension, 0)
    app = application(service, rest, key=KEY, requests_per_s=requests_per_s)
    http = TestClient(app, headers={"Authorization": f"Bearer {KEY}"})
    return World(home, service, http)
