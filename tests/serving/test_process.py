"""The real server process: what `make serve` starts, asked over a socket."""

import re
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from support.process import Running, environment, running_server
from support.served import Pictures, promote_drawn, promote_recogniser
from vultus.client import Client, ServerRefused
from vultus.contracts.home import Home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Running]]:
    home = Home(tmp_path_factory.mktemp("served"))
    promote_drawn(home)
    with running_server(home) as server:
        yield home, server


def _until(done: object, seconds: float = 10.0) -> None:
    began = time.monotonic()
    while not done():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        time.sleep(0.1)


def test_client_v1_v2_and_metrics(served: tuple[Home, Running], shown: Pictures) -> None:
    _, server = served
    assert re.fullmatch(r"vultus_[\w-]{43}", server.key)
    with Client(server.url, server.key) as client:
        assert client.verify(shown.ada, shown.ada).decision == "match"
        assert client.verify(shown.ada, shown.attack, fmr=0.01).reason == "attack"
        assert client.liveness(shown.attack).decision == "attack"
    http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"})
    with http:
        text = b64encode(shown.ada).decode()
        pair = {"reference": {"b64": text}, "probe": {"b64": text}}
        v1 = http.post("/v1/models/vultus:predict", json={"instances": [pair]}).json()
        assert v1["predictions"][0]["decision"] == "match"
        tensors = [
            {"name": name, "shape": [1], "datatype": "BYTES", "data": [text]}
            for name in ("reference", "probe")
        ]
        v2 = http.post("/v2/models/vultus/infer", json={"inputs": tensors}).json()
        assert {o["name"]: o["data"] for o in v2["outputs"]}["decision"] == ["match"]
        metrics = httpx.get(f"{server.url}/metrics").text
        series = r'vultus_requests_total\{decision="match",operation="verify",reason="none"\} 3'
        assert re.search(series, metrics)
        assert 'vultus_model_info{task="pad",version="vultus-pad/1"} 1.0' in metrics
        assert httpx.get(f"{server.url}/v2/health/ready").json() == {"ready": True}
        assert httpx.get(f"{server.url}/v1/models").status_code == 401


def test_delete_deletes(served: tuple[Home, Running], shown: Pictures) -> None:
    home, server = served
    with Client(server.url, server.key) as client:
        assert client.enrol("Ada Lovelace", shown.ada).decision == "enrolled"
        assert client.identify(shown.ada).candidates[0].subject == "Ada Lovelace"
        assert client.delete("Ada Lovelace").references == 1
        assert client.identify(shown.ada).candidates == ()
        with pytest.raises(ServerRefused, match="404"):
            client.delete("Ada Lovelace")
    written = b"".join(f.read_bytes() for f in home.root.rglob("*") if f.is_file())
    assert b"Lovelace" not in written


def test_it_listens_on_this_machine_alone(served: tuple[Home, Running]) -> None:
    _, server = served
    assert server.url.startswith("http://127.0.0.1:")
    name = socket.gethostbyname(socket.gethostname())
    if name.startswith("127."):
        pytest.skip("this machine has no other address than loopback")
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((name, port), timeout=2)


def test_many_callers_at_once_and_health_stays_quick(
    served: tuple[Home, Running], shown: Pictures
) -> None:
    _, server = served
    with Client(server.url, server.key) as client, ThreadPoolExecutor(8) as pool:
        work = [pool.submit(client.liveness, shown.ada) for _ in range(40)]
        waits = []
        while not all(one.done() for one in work):
            began = time.monotonic()
            assert httpx.get(f"{server.url}/v2/health/live").status_code == 200
            waits.append(time.monotonic() - began)
            time.sleep(0.05)
        assert {one.result().decision for one in work} == {"bona_fide"}
    assert sorted(waits)[len(waits) // 2] < 0.5  # the loop is free while the pool computes


def test_a_promotion_is_followed_while_requests_run(
    served: tuple[Home, Running], shown: Pictures
) -> None:
    home, server = served
    with Client(server.url, server.key) as client:
        promote_recogniser(home, 2)
        seen: list[str | None] = []

        def swapped() -> bool:
            answer = client.verify(shown.ada, shown.ada)
            assert answer.decision == "match"
            seen.append(answer.models.recognition)
            return seen[-1] == "vultus-recognition/2"

        _until(swapped)
        assert set(seen) <= {"vultus-recognition/1", "vultus-recognition/2"}
        (home.models / "vultus-recognition" / "champion.json").write_text("{")
        _until(lambda: "new champion refused" in server.log.read_text())
        assert client.verify(shown.ada, shown.ada).models.recognition == "vultus-recognition/2"


def test_sigterm_writes_the_log_and_ends_cleanly(tmp_path: Path, shown: Pictures) -> None:
    home = Home(tmp_path)
    promote_drawn(home)
    with running_server(home) as server, Client(server.url, server.key) as client:
        request_id = client.liveness(shown.ada).request_id
    rows = [pq.ParquetFile(f).read(["request_id"]) for f in home.features.rglob("*.parquet")]
    assert [row.to_pylist() for row in rows] == [[{"request_id": request_id}]]
    assert "Traceback" not in server.log.read_text()


def _start(home: Home, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving", "--port", "0", *arguments]
    env = environment(home, **more)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_without_a_promoted_model_it_says_what_to_run(tmp_path: Path) -> None:
    ended = _start(Home(tmp_path))
    assert ended.returncode == 1
    assert "vultus run" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = _start(home, "--port", port)
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr


def test_a_cluster_without_secrets_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    promote_drawn(home)
    api = {"VULTUS_SERVING__API_KEY": "vultus_" + "a" * 43}
    gallery = {"VULTUS_KEYS__GALLERY": "g" * 32}
    for given, missing in (
        ({}, "VULTUS_SERVING__API_KEY"),
        (api, "VULTUS_KEYS__GALLERY"),
        ({**api, **gallery}, "VULTUS_KEYS__SIGNING"),
    ):
        ended = _start(home, VULTUS_CLUSTER="true", **given)
        assert ended.returncode == 1
        assert missing in ended.stderr
        assert "API key:" not in ended.stdout
