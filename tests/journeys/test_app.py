"""The app developer: has the README's lines, a server and pictures."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.journey import PromotedHome
from support.process import Running, running_server
from support.visitors import portrait
from vultus.contracts.home import Home

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
README = Path(__file__).parents[2] / "README.md"
KEYS = {"decision", "reason", "score", "threshold", "pad", "models", "request_id"}


@pytest.fixture(scope="module")
def server(promoted: PromotedHome) -> Iterator[Running]:
    with running_server(Home(promoted.root)) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a.jpg and b.jpg of one person lie."""
    place = tmp_path_factory.mktemp("pictures")
    for name, image in (("a.jpg", 0), ("b.jpg", 1)):
        (place / name).write_bytes(portrait(3, image))
    return place


def _lines() -> list[str]:
    return re.findall(r"^curl .*$", README.read_text(), re.MULTILINE)


def test_the_lines_of_the_readme_work_as_they_stand(
    promoted: PromotedHome, server: Running, folder: Path
) -> None:
    answers = []
    for line in _lines():
        command = line.replace("http://127.0.0.1:8080", server.url)
        done = subprocess.run(
            ["bash", "-c", f"{command} --silent --show-error --fail-with-body"],
            cwd=folder,
            env=os.environ | {"KEY": server.key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.quote(command)}: {done.stdout} {done.stderr}"
        answers.append(json.loads(done.stdout))
    verify, liveness, enrol, identify, forget = answers
    for answer in (verify, liveness, enrol, identify):
        assert answer.keys() >= KEYS
    assert verify["models"] == promoted.champions()
    assert verify["score"] > verify["threshold"]
    assert verify["decision"] in ("match", "not_decided")
    assert enrol["decision"] in ("enrolled", "refused")
    assert identify["gallery_size"] == enrol["references"]
    assert forget["references"] == enrol["references"]


def test_the_command_line_says_the_same_as_the_server(
    promoted: PromotedHome, server: Running, folder: Path
) -> None:
    from vultus.client import Client

    with Client(server.url, server.key) as client:
        theirs = client.verify(folder / "a.jpg", folder / "b.jpg")
    said = promoted.vultus("verify", str(folder / "a.jpg"), str(folder / "b.jpg"), "--json")
    ours = json.loads(said.out)
    assert ours["score"] == pytest.approx(theirs.score, abs=1e-5)
    assert ours["decision"] == theirs.decision
    assert said.code == (0 if theirs.decision == "match" else 1)


def test_a_stranger_is_no_match(server: Running, folder: Path) -> None:
    from vultus.client import Client

    with Client(server.url, server.key) as client:
        answer = client.verify(folder / "a.jpg", portrait(4))
    assert answer.score is not None
    assert answer.threshold is not None
    assert answer.score < answer.threshold
    assert answer.decision != "match"


def test_a_list_of_pairs_keeps_its_rows(promoted: PromotedHome, folder: Path) -> None:
    (folder / "nobody.jpg").write_bytes(b"no picture")
    pairs = folder / "pairs.csv"
    pairs.write_text("a,b\na.jpg,b.jpg\na.jpg,nobody.jpg\nb.jpg,a.jpg\n")
    out = folder / "scores.csv"
    said = promoted.vultus("score", str(pairs), "--images", str(folder), "--out", str(out))
    assert said.code == 0, said.out + said.err
    header, first, second, third = out.read_text().splitlines()
    assert header == "a,b,score"
    assert second == "a.jpg,nobody.jpg,"
    assert float(first.split(",")[2]) == pytest.approx(float(third.split(",")[2]), abs=1e-6)
