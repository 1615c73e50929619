"""KServe's ModelServer on the address that was asked for, with our application in it."""

import asyncio
import socket
from typing import Any

from serving.application import application
from serving.models import face_models
from serving.protocol import ModelServer, RESTServer
from serving.service import Service
from vultus.errors import VultusError

_BACKLOG = 128
_GRACE_S = 20


class PortTaken(VultusError):
    """Somebody else listens there."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind before anything is loaded; port 0 takes a free one. Raises: PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    inlet = socket.socket(family, socket.SOCK_STREAM)
    inlet.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        inlet.bind((host, port))
        inlet.listen(_BACKLOG)
    except OSError as error:
        inlet.close()
        raise PortTaken(
            f"cannot listen on {host}:{port}: {error.strerror or error}; stop the other program, or "
            "choose another port with --port or VULTUS_SERVING__PORT"
        ) from error
    return inlet


class _Rest(RESTServer):
    """KServe's REST server, but with our application and a socket that is bound already."""

    def __init__(self, server: "FaceServer", inlet: socket.socket) -> None:
        port = inlet.getsockname()[1]
        super().__init__(
            _not_yet,
            server.dataplane,
            server.model_repository_extension,
            port,
            grace_period=_GRACE_S,
        )
        self._inlet = inlet

    def create_application(self) -> None:
        """Nothing: `FaceServer` has made it."""

    async def start(self) -> None:
        """Serve until a signal comes."""
        await self._server.serve(sockets=[self._inlet])


class FaceServer(ModelServer):
    """KServe's ModelServer without gRPC: its interceptors would not see our key."""

    def __init__(
        self, service: Service, inlet: socket.socket, *, key: str, requests_per_s: float
    ) -> None:
        """Args: inlet: a listening socket; key: the one API key."""
        super().__init__(
            http_port=inlet.getsockname()[1], enable_grpc=False, enable_latency_logging=False
        )
        self._service = service
        self._rest_server = _Rest(self, inlet)
        self._rest_server.config.app = application(
            service, self._rest_server, key=key, requests_per_s=requests_per_s
        )

    def start(self, models: list[Any] | None = None) -> None:
        """Register the models and serve until SIGINT or SIGTERM."""
        self._register_and_check_atleast_one_model_is_ready(
            face_models(self._service) if models is None else models
        )
        asyncio.run(self._rest_server.start())


async def _not_yet(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("the application is put in place by FaceServer")
