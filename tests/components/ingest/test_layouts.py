"""PAD sets as published: labels come from their names and lists, frames from their videos.

Every set here is a stand-in: the published names, drawn contents.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from components.ingest.choice import source_from
from components.ingest.layouts import LayoutSource
from components.ingest.source import Item, Refused, Source
from support.clips import write_clip
from support.pictures import encoded, scene
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource
from vultus.faces.picture import decode_image


def source(uri: str) -> Source:
    return source_from(uri, seed=0, weights=Path("/nowhere"))


def split(made: Source) -> tuple[dict[str, Item], dict[str, Refused]]:
    held = list(made.items())
    return (
        {entry.origin: entry for entry in held if isinstance(entry, Item)},
        {entry.origin: entry for entry in held if isinstance(entry, Refused)},
    )


def picture(file: Path, seed: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded(scene(seed=seed)))


REPLAY = {
    "train/real/client001_session01_webcam_authenticate_adverse_1.mov": None,
    "devel/attack/fixed/attack_highdef_client009_session01_highdef_photo_adverse.mov": "replay",
    "test/attack/hand/attack_mobile_client011_session02_mobile_video_controlled.mov": "replay",
    "train/attack/hand/attack_print_client001_session01_highdef_photo_controlled.mov": "print",
    "enroll/test/client011_session02_webcam_enroll_controlled.mov": None,
}


@pytest.fixture
def replay_attack(tmp_path: Path) -> Path:
    for name in REPLAY:
        write_clip(tmp_path / name, frames=30)
    picture(tmp_path / "face-locations/train/real/client001.jpg")
    lists = tmp_path / "protocols"
    lists.mkdir()
    for part in ("train", "devel", "test"):
        real = [name for name in REPLAY if name.startswith(f"{part}/real")]
        prints = [name for name in REPLAY if name.startswith(part) and "attack_print" in name]
        (lists / f"real-{part}.txt").write_text("\n".join(real))
        (lists / f"attack-print-allsupports-{part}.txt").write_text("\n".join(prints) + "\n")
    return tmp_path


def test_replay_attack_as_published(replay_attack: Path) -> None:
    write_clip(replay_attack / "train/real/holiday.mov", frames=1)
    write_clip(
        replay_attack / "train/real/attack_print_client001_session01_highdef_photo_adverse.mov"
    )
    made = source(f"replay-attack:{replay_attack}?every=15")
    items, refused = split(made)
    assert {name.split("#")[0] for name in items} == set(REPLAY)
    assert {name.split("#")[1] for name in items} == {"0", "15"}
    for name, species in REPLAY.items():
        item = items[f"{name}#15"]
        assert item.species == (Species(species) if species else None)
        assert (item.presentation is Presentation.ATTACK) == (species is not None)
    attack = items[f"{list(REPLAY)[1]}#0"]
    assert attack.subject == "replay-attack-client009"
    assert attack.attributes == {
        "instrument": "highdef",
        "session": "01",
        "sample_device": "highdef",
        "sample": "photo",
        "light": "adverse",
        "support": "fixed",
        "official_split": "devel",
    }
    enrolled = items[f"{list(REPLAY)[4]}#0"].attributes
    assert (enrolled["purpose"], enrolled["official_split"]) == ("enroll", "test")
    assert [entry.reason for entry in refused.values()] == ["bad_row"] * 2
    assert made.name == f"replay-attack:{replay_attack.name}"


def test_a_protocol_of_replay_attack_chooses(replay_attack: Path) -> None:
    items, _ = split(source(f"replay-attack:{replay_attack}?protocol=print&every=100"))
    chosen = {name.split("#")[0] for name in items}
    assert chosen == {name for name in REPLAY if "highdef_photo_adverse" not in name} - {
        list(REPLAY)[2]
    }
    with pytest.raises(BadSource, match=r"'mobile' needs .*attack-mobile-allsupports-train.txt"):
        split(source(f"replay-attack:{replay_attack}?protocol=mobile"))


OULU = {
    "Train_files/1_1_01_1.avi": (None, "train"),
    "Train_files/6_2_20_2.avi": (Species.PRINT, "train"),
    "Dev_files/2_1_21_3.avi": (Species.PRINT, "dev"),
    "Test_files/3_3_36_4.avi": (Species.REPLAY, "test"),
    "Test_files/3_3_55_5.avi": (Species.REPLAY, "test"),
}


@pytest.fixture
def oulu_npu(tmp_path: Path) -> Path:
    for name in OULU:
        write_clip(tmp_path / name, frames=10)
        (tmp_path / name).with_suffix(".txt").write_text("0,1,2,3,4\n")
    lists = tmp_path / "Protocols/Protocol_3"
    lists.mkdir(parents=True)
    (lists / "Train_2.txt").write_text("+1,1_1_01_1\n-1,6_2_20_2\n")
    (lists / "Dev_2.txt").write_text("-1, 2_1_21_3\n-1, 2_1_22_3\n")
    (lists / "Test_2.txt").write_text("-2, 3_3_36_4\r\n+1, 3_3_55_5\r\n")
    return tmp_path


def test_oulu_npu_as_published(oulu_npu: Path) -> None:
    write_clip(oulu_npu / "Test_files/7_1_01_1.avi", frames=1)
    items, refused = split(source(f"oulu-npu:{oulu_npu}"))
    said = {name: items[f"{name}#0"] for name in OULU}
    assert {
        name: (item.species, item.attributes["official_split"]) for name, item in said.items()
    } == OULU
    first, second = items["Train_files/1_1_01_1.avi#0"], items["Train_files/6_2_20_2.avi#0"]
    assert (first.subject, second.subject) == ("oulu-npu-user01", "oulu-npu-user20")
    assert first.attributes == {
        "device": "Samsung Galaxy S6 edge",
        "session": "1",
        "official_split": "train",
    }
    assert second.attributes["instrument"] == "printer 1"
    assert list(refused) == ["Test_files/7_1_01_1.avi"]


def test_a_protocol_of_oulu_npu_is_held_against_the_names(oulu_npu: Path) -> None:
    items, refused = split(source(f"oulu-npu:{oulu_npu}?protocol=3/2"))
    assert set(items) == {f"{name}#0" for name in list(OULU)[:4]}
    assert {name: entry.reason for name, entry in refused.items()} == {
        "Test_files/3_3_55_5.avi": "bad_row",  # the list says +1
        "2_1_22_3": "unreadable",  # listed, not there
    }
    with pytest.raises(BadSource, match=r"'1' needs .*Protocol_1/Train.txt"):
        split(source(f"oulu-npu:{oulu_npu}?protocol=1"))


def label(kind: int, light: int = 1, place: int = 1, *, male: bool = False) -> list[int]:
    values = [0] * 40 + [kind, light if kind else 0, place if kind else 0, int(kind > 0)]
    values[20] = int(male)
    return values


@pytest.fixture
def celeba_spoof(tmp_path: Path) -> Path:
    folders = {0: "live"}
    labels = {
        f"Data/train/{n}/{folders.get(kind, 'spoof')}/{n:06d}.jpg": label(kind, 1 + kind % 4)
        for n, kind in enumerate(range(11), start=4980)
    }
    for seed, name in enumerate(labels):
        picture(tmp_path / name, seed)
        (tmp_path / name).with_name(f"{Path(name).stem}_BB.txt").write_text("1 2 3 4 0.99")
    metas = tmp_path / "metas/intra_test"
    metas.mkdir(parents=True)
    (metas / "train_label.json").write_text(json.dumps(labels))
    test = {
        "Data/test/7/live/1.jpg": label(0, male=True),
        "Data/test/7/live/2.jpg": label(3),
        "Data/test/7/spoof/3.jpg": [1, 2, 3],
        "Data/test/7/spoof/4.jpg": label(9),
        "Data/test/../spoof/5.jpg": label(9),
    }
    for name in list(test)[:3]:
        picture(tmp_path / name, 99)
    (metas / "test_label.json").write_text(json.dumps(test, indent=4))
    return tmp_path


def test_celeba_spoof_as_published(celeba_spoof: Path) -> None:
    made = source(f"celeba-spoof:{celeba_spoof}?licence=non-commercial")
    items, refused = split(made)
    assert Counter(item.species for item in items.values()) == {
        None: 2,
        Species.PRINT: 3,
        Species.REPLAY: 3,
        Species.MASK: 4,
    }
    pad = items["Data/train/4988/spoof/004988.jpg"]
    assert pad.subject == "celeba-spoof-4988"
    assert pad.attributes == {
        "instrument": "pad",
        "light": "normal",
        "place": "indoor",
        "glasses": "no",
        "hat": "no",
        "young": "no",
        "sex": "female",
        "official_split": "train",
    }
    live = items["Data/test/7/live/1.jpg"]
    assert (live.attributes["sex"], "light" in live.attributes) == ("male", False)
    assert {name[-5:]: entry.reason for name, entry in refused.items()} == {
        "2.jpg": "bad_row",  # says A4, lies under live
        "3.jpg": "bad_row",
        "4.jpg": "unreadable",
        "5.jpg": "bad_row",
    }
    assert decode_image(made.read(pad)).shape == (48, 64, 3)
    assert made.licence == "non-commercial"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": [1, 2', '{"a": [1], }', '{"a": {}}'])
def test_labels_that_are_cut_are_said(celeba_spoof: Path, text: str) -> None:
    (celeba_spoof / "metas/intra_test/test_label.json").write_text(text)
    with pytest.raises(BadSource, match=r"test_label.json cannot be read as CelebA-Spoof's labels"):
        split(source(f"celeba-spoof:{celeba_spoof}"))


@pytest.mark.slow
def test_labels_longer_than_a_piece_are_all_read(celeba_spoof: Path) -> None:
    names = [f"Data/train/{n}/live/{n}.jpg" for n in range(13_000)]
    file = celeba_spoof / "metas/intra_test/train_label.json"
    file.write_text(json.dumps({name: label(0) for name in names}))
    assert file.stat().st_size > 2 << 20
    _, refused = split(source(f"celeba-spoof:{celeba_spoof}"))
    assert [name for name in refused if name in set(names)] == names


@pytest.mark.parametrize(
    ("name", "subject", "species", "official"),
    [
        ("train/live/anna/1.jpg", "anna", None, "train"),
        ("anna/real/1.jpg", "anna", None, None),
        ("bona_fide/anna_2.jpg", "anna", None, None),
        ("Test/Spoof/printed_photo/bob/1.jpg", "bob", "print", "Test"),
        ("attack/3D_mask/bob/1.jpg", "bob", "mask", None),
        ("bob/fake/video-replay/1.jpg", "bob", "replay", None),
        ("print/bob 3.jpg", "bob", "print", None),
        ("live/screen/eva/1.jpg", "eva", None, None),
    ],
)
def test_folders_say_what_is_in_them(
    tmp_path: Path, name: str, subject: str, species: str | None, official: str | None
) -> None:
    picture(tmp_path / name)
    items, refused = split(source(f"pad:{tmp_path}"))
    item = items[name]
    assert (item.subject, item.species) == (subject, Species(species) if species else None)
    assert item.presentation is (Presentation.ATTACK if species else Presentation.BONA_FIDE)
    assert item.attributes.get("official_split") == official
    assert refused == {}


def test_folders_that_do_not_say_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "holiday/anna/1.jpg")
    picture(tmp_path / "spoof/anna/1.jpg")
    picture(tmp_path / "delivery/anna/1.jpg")
    items, refused = split(source(f"pad:{tmp_path}"))
    assert items == {}
    assert {entry.reason for entry in refused.values()} == {"no_label"}
    assert "print, replay or mask" in refused["spoof/anna/1.jpg"].detail


@pytest.mark.parametrize("option", ["every=0", "every=two", "evry=3", "protocol="])
def test_wrong_options_are_said(tmp_path: Path, option: str) -> None:
    with pytest.raises(BadSource, match=option.split("=")[0]):
        source(f"pad:{tmp_path}?{option}")


def test_an_empty_set_says_what_was_looked_for(tmp_path: Path) -> None:
    assert isinstance(source(f"oulu-npu:{tmp_path}"), LayoutSource)
    with pytest.raises(BadSource, match="holds nothing where oulu-npu"):
        split(source(f"oulu-npu:{tmp_path}"))
    with pytest.raises(BadSource, match="not a folder"):
        split(source("celeba-spoof:/no/such/place"))
