"""`python -m serving`: settings → models, gallery, log → KServe's server."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vultus.errors import BadArtifact, VultusError
from vultus.settings import Settings

if TYPE_CHECKING:
    from serving.assembly import Served
    from serving.service import Service

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes. Returns: the exit code; 1 with one sentence where it cannot."""
    parser = argparse.ArgumentParser("python -m serving", description=__doc__)
    parser.add_argument(
        "--port", type=int, help="default: VULTUS_SERVING__PORT or 8080; 0: a free one"
    )
    port = parser.parse_args(arguments).port
    try:
        settings = Settings()
        serve(settings, port=settings.serving.port if port is None else port)
    except ValidationError as error:
        first = error.errors()[0]
        name = "VULTUS_" + "__".join(str(part).upper() for part in first["loc"])
        print(f"{name}: {first['msg']}", file=sys.stderr)
        return 2
    except VultusError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def serve(settings: Settings, *, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises: VultusError, where it cannot begin."""
    from serving.logs import log_to_stderr
    from serving.secrets import api_key
    from serving.server import FaceServer, listening_socket

    log_to_stderr()
    host = settings.serving.host
    key = api_key(settings)
    with listening_socket(host, port) as inlet:
        service = service_from(settings)
        try:
            server = FaceServer(
                service, inlet, key=key, requests_per_s=settings.serving.requests_per_s
            )
            if not settings.cluster:
                _greet(host, inlet.getsockname()[1], key)
            server.start()
        except KeyboardInterrupt:
            pass  # uvicorn has stopped by now, and hands the signal on
        finally:
            service.close()


def service_from(settings: Settings) -> "Service":
    """Everything below the routes, started. Raises: VultusError."""
    from prometheus_client import REGISTRY

    from serving.assembly import Assembly, sources_from, trusted_key
    from serving.capture import Capture
    from serving.decode import Limits
    from serving.metrics import Metrics
    from serving.secrets import gallery_key
    from serving.service import Service
    from vultus.gallery import Gallery

    metrics = Metrics(REGISTRY)

    def changed(outcome: str, served: "Served") -> None:
        metrics.reloaded(outcome)
        metrics.serves(served.models)

    home = settings.paths
    key = gallery_key(settings)
    assembly = Assembly(*sources_from(settings), trusted_key(settings), changed=changed)
    if assembly.current.thresholds is None:
        raise BadArtifact(
            "no recognition model was promoted yet; run `vultus run recognition` first, then serve"
        )
    capture = Capture(home.features, lost=metrics.rows_lost)
    service = Service(
        assembly,
        Gallery(home.gallery, key),
        capture,
        metrics,
        limits=Limits(settings.serving.max_image_bytes, settings.serving.max_image_pixels),
        fmr=settings.serving.fmr,
        threads=settings.threads or os.cpu_count() or 1,
    )
    capture.start()
    assembly.follow()
    return service


def _greet(host: str, port: int, key: str) -> None:
    shown = host if host in _LOOPBACK else "127.0.0.1"
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    print(f"API key: {key}")
    print(
        f"Try:     curl -H 'Authorization: Bearer {key}' -F reference=@a.jpg -F probe=@b.jpg "
        f"{address}/api/v1/verify"
    )
    print(f"Page:    {address}/#key={key}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
