"""The operator: reads what the watchdog says after a good day and after a bad one."""

import json
from pathlib import Path

import pytest

from support.journey import PromotedHome
from support.process import running_server
from support.visitors import changed, darkened, portrait
from vultus.client import Client
from vultus.contracts.home import Home

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
_PEOPLE = 30


def test_a_failed_lamp_is_found_and_named(promoted: PromotedHome) -> None:
    good = [portrait(person) for person in range(_PEOPLE)]
    with running_server(Home(promoted.root)) as server, Client(server.url, server.key) as client:
        for picture in good * 4:
            client.liveness(picture)
    usual = json.loads(
        promoted.vultus(
            "monitor", "--json", "--rows", "100", "--confirm", "--set", "freeze_rows=100"
        ).out
    )
    with running_server(Home(promoted.root)) as server, Client(server.url, server.key) as client:
        for picture in good * 4:
            client.liveness(changed(picture, darkened))
    said = promoted.vultus("monitor", "--json", "--rows", "100")
    assert said.code == 0, said.out + said.err
    report = json.loads(said.out)
    assert report["status"] == "drift", (usual, report)
    assert "darker" in report["answer"]
    pages = sorted((promoted.root.parent / "reports").glob("*-monitor/drift.html"))
    assert Path(pages[-1]).stat().st_size > 2000
