"""Alerts reach their receiver, in order, and none is lost while it is away."""

import json
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from monitoring.alerts import ALERTS, Alert, Channel, channels_of, deliver, unsent
from support.receiver import receiver

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def alert(summary: str = "Pictures got darker since 14:00 UTC.", now: datetime = NOW) -> Alert:
    return Alert(
        name="VultusDrift",
        severity="warning",
        summary=summary,
        description="Alert: …",
        page="/reports/drift.html",
        starts_at=now,
        ends_at=now + timedelta(hours=25),
    )


def no_pause(_: float) -> None:
    """Tests do not wait."""


def test_alertmanager_is_given_its_own_form(tmp_path: Path) -> None:
    with receiver(lambda *_: (200, {})) as taken:
        channels = channels_of(alertmanager=taken.url + "/", webhook=None)
        assert deliver([alert()], channels, tmp_path / "1-monitor") == []
        ((method, path, body),) = taken.requests
    assert (method, path) == ("POST", "/api/v2/alerts")
    (one,) = body
    assert one["labels"]["alertname"] == "VultusDrift"
    assert one["annotations"]["summary"].startswith("Pictures got darker")
    assert datetime.fromisoformat(one["endsAt"]) > datetime.fromisoformat(one["startsAt"])
    assert unsent(tmp_path) == 0


def test_a_receiver_that_stumbles_is_tried_again(tmp_path: Path) -> None:
    waited: list[float] = []
    with receiver(lambda _m, _p, number: (503 if number < 3 else 200, {})) as taken:
        channels = channels_of(alertmanager=None, webhook=taken.url + "/hook")
        assert deliver([alert()], channels, tmp_path / "1-monitor", pause=waited.append) == []
        assert len(taken.requests) == 3
    assert waited == sorted(waited)
    assert taken.bodies()[-1]["alerts"][0]["severity"] == "warning"


def test_a_refusal_is_not_repeated_but_kept(tmp_path: Path) -> None:
    with receiver(lambda *_: (400, {"error": "bad"})) as taken:
        channels = [Channel("webhook", taken.url)]
        (failure,) = deliver([alert()], channels, tmp_path / "1-monitor", pause=no_pause)
        assert len(taken.requests) == 1
    assert "400" in failure
    assert "unsent-webhook.json" in failure
    assert unsent(tmp_path) == 1


def test_what_could_not_be_sent_is_sent_by_the_next_pass_oldest_first(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"
    channels = [Channel("webhook", dead)]
    for number in (1, 2):
        failures = deliver(
            [alert(f"pass {number}")], channels, tmp_path / f"{number}-monitor", pause=no_pause
        )
        assert len(failures) == 1
    assert unsent(tmp_path) == 2
    with receiver(lambda *_: (200, {})) as taken:
        channels = [Channel("webhook", taken.url)]
        assert deliver([], channels, tmp_path / "3-monitor", pause=no_pause) == []
        said = [body["alerts"][0]["summary"] for body in taken.bodies()]
    assert said == ["pass 1", "pass 2"]
    assert unsent(tmp_path) == 0


def test_one_receiver_that_is_down_does_not_silence_the_other(tmp_path: Path) -> None:
    with receiver(lambda _m, path, _n: (500 if path == "/down" else 200, {})) as taken:
        channels = [Channel("alertmanager", taken.url + "/down"), Channel("webhook", taken.url)]
        failures = deliver([alert()], channels, tmp_path / "1-monitor", pause=no_pause)
    assert len(failures) == 1
    left = list(tmp_path.glob("*/unsent-*"))
    assert [file.name for file in left] == ["unsent-alertmanager.json"]
    assert ALERTS.validate_json(left[0].read_bytes()) == [alert()]


def test_an_alert_without_a_receiver_says_which_setting_is_missing(tmp_path: Path) -> None:
    (said,) = deliver([alert()], [], tmp_path / "1-monitor")
    assert "VULTUS_MONITORING__ALERTMANAGER" in said
    assert deliver([], [], tmp_path / "2-monitor") == []


@pytest.mark.slow
def test_a_real_alertmanager_takes_and_shows_the_alert(tmp_path: Path) -> None:
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        pytest.skip("no Alertmanager here: apt-get install prometheus-alertmanager")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    server = subprocess.Popen(
        [
            binary,
            f"--config.file={config}",
            f"--storage.path={tmp_path}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://{address}"
        _wait(f"{url}/-/ready")
        channels = channels_of(alertmanager=url, webhook=None)
        sent = alert(now=datetime.now(UTC))
        assert deliver([sent], channels, tmp_path / "1-monitor") == []
        (shown,) = httpx.get(f"{url}/api/v2/alerts").json()
        assert shown["labels"]["alertname"] == "VultusDrift"
        assert shown["annotations"]["summary"] == sent.summary
        over = sent.model_copy(update={"ends_at": datetime.now(UTC)})
        assert deliver([over], channels, tmp_path / "2-monitor") == []
        assert httpx.get(f"{url}/api/v2/alerts").json() == []
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not come up")


def test_alerts_can_be_read_back_from_disk() -> None:
    assert ALERTS.validate_python(json.loads(ALERTS.dump_json([alert()]))) == [alert()]
