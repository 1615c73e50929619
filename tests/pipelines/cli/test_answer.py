"""verify, liveness, score, weights as a person types them: exit codes, --json, what is said."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner, Result

from pipelines.cli import app
from support.drawn import as_file, drawn_face, no_face, two_faces
from support.promoted import promoted_home
from vultus.signing import load_or_create_key, private_key_of, public_key_of

LIT = 1.25


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a promoted home and pictures."""
    root = tmp_path_factory.mktemp("place")
    promoted_home(root / "home")
    pictures = {
        "one.jpg": drawn_face(light=LIT),
        "other.jpg": drawn_face(4),
        "dark.jpg": drawn_face(light=0.35),
        "wall.jpg": no_face(),
        "both.jpg": two_faces(),
    }
    for name, image in pictures.items():
        (root / name).write_bytes(as_file(image))
    (root / "letter.jpg").write_text("Dear Sir or Madam")
    return root


@pytest.fixture
def vultus(place: Path, monkeypatch: pytest.MonkeyPatch) -> "_Command":
    monkeypatch.chdir(place)
    monkeypatch.setenv("VULTUS_HOME", str(place / "home"))
    return _Command()


class _Command:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))


def test_a_match_is_said_in_one_line_and_exits_0(vultus: _Command) -> None:
    said = vultus("verify", "one.jpg", "one.jpg")
    assert said.exit_code == 0, said.output
    first, second, *_ = said.stdout.splitlines()
    assert first == "match score 1.0000 >= threshold 0.8000 at FMR 0.001"
    assert second.startswith("PAD: bona_fide, score 0.")
    assert "by tiny, which learned from simulated attack presentations" in second
    assert "model status not_enough_data" in second


@pytest.mark.parametrize(
    ("a", "b", "first", "following"),
    [
        ("other.jpg", "one.jpg", "non_match score", ""),
        ("one.jpg", "dark.jpg", "not_decided (attack) score", "next: if this is no attack"),
        ("one.jpg", "wall.jpg", "not_decided (no_face)", "next: B: show one whole face"),
        ("wall.jpg", "one.jpg", "not_decided (no_face)", "next: A: show one whole face"),
        ("both.jpg", "one.jpg", "not_decided (several_faces)", "next: let one person alone"),
    ],
)
def test_a_refusal_exits_1_with_its_reason(
    vultus: _Command, a: str, b: str, first: str, following: str
) -> None:
    said = vultus("verify", a, b)
    assert said.exit_code == 1
    assert said.stdout.startswith(first)
    assert following in said.stdout


def test_json_is_the_whole_answer(vultus: _Command) -> None:
    said = vultus("verify", "one.jpg", "dark.jpg", "--fmr", "0.1", "--json")
    assert said.exit_code == 1
    answer = json.loads(said.stdout)
    assert answer["decision"] == "not_decided"
    assert answer["reason"] == "attack"
    assert answer["fmr"] == 0.1
    assert answer["threshold"] == pytest.approx(0.2)
    assert answer["models"] == {"recognition": "vultus-recognition/1", "pad": "vultus-pad/1"}


def test_no_pad_decides_on_the_score_alone(vultus: _Command) -> None:
    said = vultus("verify", "one.jpg", "one.jpg", "--no-pad")
    assert said.exit_code == 0
    assert "PAD: left out" in said.stdout


def test_an_fmr_beyond_the_data_is_noted(vultus: _Command) -> None:
    assert "too few non-mated pairs" in vultus("verify", "one.jpg", "one.jpg").stdout
    assert "note" not in vultus("verify", "one.jpg", "one.jpg", "--fmr", "0.05").stdout


def test_liveness_says_decision_and_member(vultus: _Command) -> None:
    good = vultus("liveness", "one.jpg")
    assert good.exit_code == 0
    assert good.stdout.startswith("bona_fide score")
    bad = vultus("liveness", "dark.jpg", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["decision"] == "attack"
    assert vultus("liveness", "wall.jpg").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "one.jpg"),
        ("verify", "one.jpg", "absent.jpg"),
        ("verify", "one.jpg", "one.jpg", "--fmr", "2"),
        ("verify", "one.jpg", "one.jpg", "--nonsense"),
        ("liveness",),
        ("score", "--images", ".", "--out", "x.csv"),
        ("score", "absent.csv", "--images", ".", "--out", "x.csv"),
        ("weights", "steal"),
    ],
)
def test_wrong_usage_exits_2(vultus: _Command, words: tuple[str, ...]) -> None:
    assert vultus(*words).exit_code == 2


def test_an_expected_failure_is_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, vultus: _Command
) -> None:
    said = vultus("liveness", "letter.jpg")
    assert said.exit_code == 1
    assert "BadImage: letter.jpg: the bytes are no picture" in said.stderr
    monkeypatch.setenv("VULTUS_HOME", str(place / "nowhere"))
    said = vultus("verify", "one.jpg", "one.jpg")
    assert said.exit_code == 1
    assert "run `vultus run recognition` first" in said.stderr
    assert not (place / "nowhere").exists()


def test_the_trusted_key_may_come_from_the_settings(
    place: Path, monkeypatch: pytest.MonkeyPatch, vultus: _Command
) -> None:
    pem = (place / "home" / "keys" / "signing.pem").read_text()
    public = public_key_of(private_key_of(pem.encode())).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    for given in (pem, public.decode()):
        monkeypatch.setenv("VULTUS_KEYS__SIGNING", given)
        assert vultus("liveness", "one.jpg").exit_code == 0
    load_or_create_key(place / "other.pem")
    monkeypatch.setenv("VULTUS_KEYS__SIGNING", (place / "other.pem").read_text())
    said = vultus("liveness", "one.jpg")
    assert said.exit_code == 1
    assert "BadSignature" in said.stderr


def test_score_writes_a_row_for_every_row(vultus: _Command, tmp_path: Path) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "out.csv"
    pairs.write_text("a,b,same\none.jpg,one.jpg,1\none.jpg,letter.jpg,0\nother.jpg,one.jpg,0\n")
    said = vultus("score", str(pairs), "--images", ".", "--out", str(out))
    assert said.exit_code == 0, said.output
    assert "3 rows, 2 scored, 1 empty" in said.stdout
    assert "1 without a score: bad image" in said.stdout
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["a"], row["b"]) for row in rows] == [
        ("one.jpg", "one.jpg"), ("one.jpg", "letter.jpg"), ("other.jpg", "one.jpg"),
    ]  # fmt: skip
    assert float(rows[0]["score"]) == pytest.approx(1, abs=1e-5)
    assert rows[1]["score"] == ""


def test_score_of_presentations_as_json(vultus: _Command, tmp_path: Path) -> None:
    files, out = tmp_path / "files.csv", tmp_path / "out.csv"
    files.write_text("file\none.jpg\ndark.jpg\none.jpg\n")
    said = vultus("score", "--pad", str(files), "--images", ".", "--out", str(out), "--json")
    assert said.exit_code == 0, said.output
    summary = json.loads(said.stdout)
    assert (summary["rows"], summary["empty"], summary["pictures"]) == (3, 0, 2)
    with out.open() as stream:
        scores = [row["pad_score"] for row in csv.DictReader(stream)]
    assert scores[0] == scores[2]
    assert float(scores[1]) < 0.5 <= float(scores[0])


def test_score_of_nothing_but_bad_files_exits_1_and_is_written(
    vultus: _Command, tmp_path: Path
) -> None:
    files, out = tmp_path / "files.csv", tmp_path / "out.csv"
    files.write_text("file\nletter.jpg\n")
    said = vultus("score", "--pad", str(files), "--images", ".", "--out", str(out))
    assert said.exit_code == 1
    assert out.read_text() == "file,pad_score\nletter.jpg,\n"


def test_weights_are_listed_with_licence_and_state(vultus: _Command) -> None:
    rows = {row["name"]: row for row in json.loads(vultus("weights", "list", "--json").stdout)}
    assert rows["mtcnn"]["state"] == "verified"
    assert rows["sface"]["state"] == "not here"
    assert rows["sface"]["licence"].startswith("Apache-2.0")
    assert len(rows["sface"]["archive_sha256"]) == 64
    assert rows["deepface-fasnet"]["state"] == "not here"
    assert "mtcnn" in vultus("weights", "list").stdout


@pytest.mark.slow
def test_what_is_here_stays_and_what_cannot_be_had_is_named(
    vultus: _Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens: no network
    said = vultus("weights", "fetch", "mtcnn", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)[0]["error"] is None
    said = vultus("weights", "fetch", "nonsense")
    assert said.exit_code == 1
    assert "known: mtcnn" in said.stderr
    said = vultus("weights", "fetch", "mtcnn", "deepface-fasnet")
    assert said.exit_code == 1
    assert "mtcnn: " in said.stdout
    assert "let DeepFace fetch it once" in said.stderr


def test_help_loads_nothing_heavy() -> None:
    """Its half second is measured by `make bench-help`; what would cost it is refused here."""
    code = (
        "import sys\nfrom pipelines.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print('HEAVY', sorted({'torch', 'mlflow', 'kfp', 'evidently', 'onnxruntime', 'cv2', "
        "'kserve', 'rich.progress'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.endswith("HEAVY []\n")
