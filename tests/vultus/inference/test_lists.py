"""Lists of pictures: one row out for every row in, whatever the files are."""

import csv
import threading
from pathlib import Path

import numpy as np
import pytest

from support.drawn import as_file, drawn_face, no_face, two_faces
from support.pictures import png_bomb
from support.promoted import promoted_home
from vultus.contracts.words import Task
from vultus.errors import BadParameter, StorageUnavailable
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.champion import open_champions
from vultus.inference.chosen import Looked, look_at, meant_face
from vultus.inference.lists import score_pairs, score_presentations
from vultus.inference.tables import Item, Sheet, read_files, read_pairs


@pytest.fixture(scope="module")
def analyser(tmp_path_factory: pytest.TempPathFactory) -> FaceAnalyser:
    home = promoted_home(tmp_path_factory.mktemp("home"))
    return open_champions(home, need=Task.RECOGNITION)[0]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    whole = as_file(drawn_face(0))
    files = {
        "one.jpg": whole,
        "two.jpg": as_file(drawn_face(1)),
        "both.jpg": as_file(two_faces()),
        "wall.jpg": as_file(no_face()),
        "tight.jpg": as_file(drawn_face(5, tight=True)),
        "zero.jpg": b"",
        "cut.jpg": whole[: len(whole) // 2],
        "letter.jpg": b"Dear Sir or Madam",
        "bomb.png": png_bomb(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


class Counted:
    """Counts calls, from any thread."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, item: Item, looked: Looked) -> None:
        with self._lock:
            self.files.append(item.file)


def test_every_pair_has_its_score_and_every_picture_is_looked_at_once(
    analyser: FaceAnalyser, images: Path
) -> None:
    one, two, wall = Item("one.jpg"), Item("two.jpg"), Item("wall.jpg")
    counted = Counted()
    pairs = [(one, one), (one, two), (two, one), (one, wall), (one, one)]
    scored = score_pairs(analyser, pairs, images, threads=2, done=counted)
    assert counted.files == ["one.jpg", "two.jpg", "wall.jpg"]
    assert scored.pictures == 3
    first, *others = scored.scores
    assert first == pytest.approx(1, abs=1e-5)
    assert others[0] == others[1] != first
    assert others[2] is None
    assert others[3] == first
    assert scored.reasons == {"no_face": 1}


def test_bad_files_leave_empty_scores_and_their_reasons(
    analyser: FaceAnalyser, images: Path
) -> None:
    names = ["zero.jpg", "cut.jpg", "letter.jpg", "bomb.png", "absent.jpg", "wall.jpg", "one.jpg"]
    scored = score_presentations(
        analyser, [Item(name) for name in names], images, threads=2, done=Counted()
    )
    assert [score is None for score in scored.scores] == [True] * 6 + [False]
    assert sum(scored.reasons.values()) == 6
    text = " | ".join(scored.reasons)
    for word in ("0 bytes", "cut short", "no picture", "2500000000", "No such file", "no_face"):
        assert word in text.replace("50000 x 50000", "2500000000")


def test_a_box_chooses_the_face(analyser: FaceAnalyser, images: Path) -> None:
    """Two equally large people: each box gives the face that is alone in the other picture."""
    image = two_faces()
    found = analyser.detect(image)
    left, right = (found.boxes[found.boxes[:, 0].argsort()][index] for index in (0, -1))
    for box, alone in ((left, "one.jpg"), (right, "two.jpg")):
        item = Item("both.jpg", tuple(float(edge) for edge in box))  # type: ignore[arg-type]
        chosen = look_at(analyser, item, images, embed=True).embedding
        expected = look_at(analyser, Item(alone), images, embed=True).embedding
        assert chosen is not None
        assert expected is not None
        assert float(chosen @ expected) > 0.9


def test_of_several_large_faces_the_middle_one_is_meant(analyser: FaceAnalyser) -> None:
    three = np.concatenate([drawn_face(0), drawn_face(1), drawn_face(2)], axis=1)
    found, index = meant_face(analyser, three, None)
    assert len(found) == 3
    assert index is not None
    assert 192 <= found.boxes[index, [0, 2]].mean() < 384


def test_a_box_that_meets_no_face_is_searched_alone(analyser: FaceAnalyser) -> None:
    """Blank the detector for whole pictures: the face must then come from the grown box."""
    image = drawn_face(0)
    box = analyser.detect(image).boxes[0]
    canvas = np.full((600, 600, 3), 128, np.uint8)
    canvas[300:492, 300:492] = image
    coarse = FaceAnalyser(
        _OnlySmall(analyser),
        analyser.encoder,
        analyser.panel,
        recognition=None,
        pad=None,
        pad_status=analyser.pad_status,
    )
    moved = (box + 300).astype(np.float32)
    found, index = meant_face(coarse, canvas, moved)
    assert index is not None
    middle = (found.boxes[index, :2] + found.boxes[index, 2:]) / 2
    assert np.abs(middle - (moved[:2] + moved[2:]) / 2).max() < 15


class _OnlySmall:
    """A detector that is blind to pictures wider than 400 pixels."""

    def __init__(self, analyser: FaceAnalyser) -> None:
        self._detector = analyser.detector

    def detect(self, image: np.ndarray) -> object:
        blind = image.shape[1] > 400
        return self._detector.detect(np.zeros((64, 64, 3), np.uint8) if blind else image)


def test_pad_judges_a_given_box_even_where_no_face_is_found(
    analyser: FaceAnalyser, images: Path
) -> None:
    boxed = Item("wall.jpg", (40, 40, 120, 120))
    assert look_at(analyser, boxed, images, embed=False).pad_score is not None
    assert look_at(analyser, boxed, images, embed=True).why == "no_face"
    outside = Item("wall.jpg", (400, 400, 500, 500))
    assert look_at(analyser, outside, images, embed=False).why == "the box lies outside the picture"


def test_rows_are_read_with_their_boxes(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "\ufefffile,note,box_x1,box_y1,box_x2,box_y2\n"
        "a.jpg,x,-1.5,0,10,20\n"
        "b.jpg,,,,,\n"
        ",,1,1,2,2\n"
        "c.jpg,,1,1,x,2\n"
        "d.jpg,,5,5,5,9\n"
        "e.jpg\n"
    )
    rows = read_files(file)
    assert [row.file for row in rows] == ["a.jpg", "b.jpg", "", "c.jpg", "d.jpg", "e.jpg"]
    assert rows[0].box == (-1.5, 0, 10, 20)
    assert rows[1].box is rows[5].box is None
    assert [bool(row.fault) for row in rows] == [False, False, True, True, True, False]


def test_pairs_may_carry_a_box_each(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("b,a,a_box_x1,a_box_y1,a_box_x2,a_box_y2\nright.jpg,left.jpg,1,2,3,4\n")
    ((a, b),) = read_pairs(file)
    assert (a.file, a.box) == ("left.jpg", (1, 2, 3, 4))
    assert (b.file, b.box) == ("right.jpg", None)


@pytest.mark.parametrize("text", ["", "x,y\n1,2\n", "a;b\n1;2\n"])
def test_missing_columns_are_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(text)
    with pytest.raises(BadParameter, match="no column a, b"):
        read_pairs(file)


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(b"a,b\n\xff\xfe\x00\n")
    with pytest.raises(BadParameter, match="cannot be read as CSV"):
        read_pairs(file)


def test_a_sheet_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.csv"

    def broken() -> object:
        yield ("a,b", 0.25)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Sheet(out) as sheet:
        sheet.write(("file", "score"), broken())  # type: ignore[arg-type]
    assert list(out.parent.iterdir()) == []
    with Sheet(out) as sheet:
        sheet.write(("file", "score"), [("a,b", 0.25), ("ü", None)])
    with out.open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["file", "score"], ["a,b", "0.250000"], ["ü", ""]]
    assert [file.name for file in out.parent.iterdir()] == ["out.csv"]


def test_a_place_that_cannot_be_written_to_is_noticed_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="--out"):
        Sheet(tmp_path / "file" / "out.csv")
