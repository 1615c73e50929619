"""Folders and lists: a stable order, nothing hidden, no file taken in that somebody is writing."""

import multiprocessing
import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest.choice import source_from
from components.ingest.files import read_file
from components.ingest.source import Item, Refused, Source, reason_of
from support.nobody import as_nobody, folder_for_all
from vultus.contracts.words import Species
from vultus.errors import BadSource, SourceChanged, SourceVanished


def source(uri: str | Path) -> Source:
    return source_from(str(uri), seed=0, weights=Path("/nowhere"))


def split(entries: Iterator[Item | Refused]) -> tuple[list[Item], list[Refused]]:
    held = list(entries)
    return (
        [entry for entry in held if isinstance(entry, Item)],
        [entry for entry in held if isinstance(entry, Refused)],
    )


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def test_a_folder_is_listed_in_order_with_the_last_folder_as_subject(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.jpg", "b/10.jpg", "a/x/1.jpg", "a/0.jpg", "top.jpg", "a/list.csv", "a/.h")
    items, refused = split(source(tmp_path).items())
    assert [item.origin for item in items] == ["a/0.jpg", "a/x/1.jpg", "b/10.jpg", "b/2.jpg"]
    assert [item.subject for item in items] == ["a", "x", "b", "b"]
    assert refused == []
    assert all(item.captured_at is None for item in items)


def test_a_fingerprint_changes_with_the_bytes_and_only_then(tmp_path: Path) -> None:
    fill(tmp_path, "a/0.jpg", "a/1.jpg", "a/2.jpg")
    before = {item.origin: item.fingerprint for item in split(source(tmp_path).items())[0]}
    again = {item.origin: item.fingerprint for item in split(source(tmp_path).items())[0]}
    assert before == again
    (tmp_path / "a/0.jpg").write_bytes(b"longer than it was")
    time.sleep(0.02)  # a clock tick of the file system
    (tmp_path / "a/1.jpg").write_bytes(b"A/1.JPG")
    after = {item.origin: item.fingerprint for item in split(source(tmp_path).items())[0]}
    assert [name for name in before if before[name] != after[name]] == ["a/0.jpg", "a/1.jpg"]


def test_a_closed_folder_is_refused_at_its_place_and_the_rest_is_offered() -> None:
    with folder_for_all() as root:
        fill(root, "a/0.jpg", "b/0.jpg", "c/0.jpg")
        (root / "b").chmod(0)
        with as_nobody():
            entries = list(source(root).items())
    assert [entry.origin for entry in entries] == ["a/0.jpg", "b/", "c/0.jpg"]
    closed = entries[1]
    assert isinstance(closed, Refused)
    assert (closed.reason, "Permission denied" in closed.detail) == ("unreadable", True)


def test_a_closed_root_and_a_closed_file_say_so() -> None:
    with folder_for_all() as root:
        fill(root, "in/a/0.jpg")
        (root / "in/a/0.jpg").chmod(0)
        with as_nobody():
            items, _ = split(source(root / "in").items())
            with pytest.raises(BadSource, match=r"0\.jpg cannot be read: Permission denied"):
                source(root / "in").read(items[0])
        (root / "in").chmod(0)
        with as_nobody(), pytest.raises(BadSource, match=r"Permission denied.*check the path"):
            list(source(root / "in").items())


def test_links_are_followed_but_not_in_circles_and_pipes_are_not_opened(tmp_path: Path) -> None:
    fill(tmp_path, "set/a/0.jpg", "elsewhere/b/0.jpg")
    root = tmp_path / "set"
    (root / "b").symlink_to(tmp_path / "elsewhere/b")
    (root / "a/again").symlink_to(root)
    (root / "a/lost.jpg").symlink_to(tmp_path / "gone.jpg")
    (root / "a/one.jpg").symlink_to(root / "a/0.jpg")
    os.mkfifo(root / "a/pipe.jpg")
    items, refused = split(source(root).items())
    assert [item.origin for item in items] == ["a/0.jpg", "a/one.jpg", "b/0.jpg"]
    assert {entry.origin: entry.reason for entry in refused} == dict.fromkeys(
        ("a/again", "a/lost.jpg", "a/pipe.jpg"), "unreadable"
    )


def test_a_name_that_is_no_text_is_refused_by_a_name_that_is(tmp_path: Path) -> None:
    fill(tmp_path, "a/0.jpg")
    with open(os.fsencode(tmp_path) + b"/a/\xff\xfe.jpg", "wb") as file:  # noqa: PTH123 -- bytes
        file.write(b"x")
    items, refused = split(source(tmp_path).items())
    assert len(items) == 1
    assert [entry.reason for entry in refused] == ["bad_name"]
    refused[0].origin.encode()


def test_a_long_folder_is_listed_in_the_room_of_one_subject(tmp_path: Path) -> None:
    for subject in range(60):
        fill(tmp_path, *(f"{subject:03d}/{image}.jpg" for image in range(50)))
    tracemalloc.start()
    assert sum(1 for _ in source(tmp_path).items()) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # 3,000 items at once would hold more than 1 MB


def test_a_list_gives_all_it_knows(tmp_path: Path) -> None:
    fill(tmp_path, "x/0.jpg", "x/1.jpg")
    (tmp_path / "faces.csv").write_text(
        "\ufeffsubject,path,presentation,species,licence,captured_at,attributes,attribute_light\n"
        'a,x/0.jpg,attack,mask,CC0-1.0,2024-05-06T07:08:09+02:00,"{""age"": 40}",day\n'
        "b,x/1.jpg,,,,,,\n"
        "b,x/none.jpg,,,,,,\n"
        ",x/1.jpg,,,,,,\n"
        "b,x/1.jpg,attack,,,,,\n"
        "b,x/1.jpg,bona_fide,,,yesterday,,\n"
        "b,x/1.jpg,bona_fide,,,,[1],\n"
    )
    items, refused = split(source(tmp_path / "faces.csv").items())
    assert items[0].species is Species.MASK
    assert items[0].captured_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert (items[0].licence, items[0].attributes) == ("CC0-1.0", {"age": "40", "light": "day"})
    assert (items[1].licence, items[1].attributes, items[1].captured_at) == (None, {}, None)
    assert [entry.reason for entry in refused] == ["unreadable", *["bad_row"] * 4]
    assert "row 4: no subject" in refused[1].detail


@pytest.mark.slow
def test_a_parquet_list_streams_and_may_carry_a_map(tmp_path: Path) -> None:
    fill(tmp_path, "0.jpg")
    rows = 20_000
    table = pa.table(
        {
            "subject": [f"s{row}" for row in range(rows)],
            "path": ["0.jpg"] * rows,
            "captured_at": pa.array([datetime(2024, 1, 2)] * rows, pa.timestamp("ms")),
            "attributes": pa.array([[("age", "3")]] * rows, pa.map_(pa.string(), pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "faces.parquet")
    items = source(tmp_path / "faces.parquet").items()
    tracemalloc.start()
    first = next(items)
    assert sum(1 for _ in items) == rows - 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(first, Item)
    assert (first.attributes, first.captured_at) == (
        {"age": "3"},
        datetime(2024, 1, 2, tzinfo=UTC),
    )
    assert peak < 15_000_000  # a batch of 4,096 rows as Python objects, not 20,000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,path\na,b\n", "subject is not there"),
        ("", "path, subject is not there"),
        ("subject,path\n", "without a row"),
        ("subject,path\na,\xff\n", "cannot be read as a list"),
    ],
)
def test_a_list_that_is_none_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "faces.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadSource, match=said):
        list(source(tmp_path / "faces.csv").items())


def test_a_parquet_file_that_is_none_says_why(tmp_path: Path) -> None:
    (tmp_path / "faces.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(BadSource, match="cannot be read as a list"):
        list(source(tmp_path / "faces.parquet").items())


def test_options_and_escapes_of_a_uri(tmp_path: Path) -> None:
    fill(tmp_path, "my set/a/0.jpg")
    uri = (tmp_path / "my set").as_uri()
    assert source(f"{uri}?licence=CC-BY-4.0").licence == "CC-BY-4.0"
    assert len(split(source(uri).items())[0]) == 1
    with pytest.raises(BadSource, match="'license=x' is not one of licence"):
        source(f"{uri}?license=x")


def _write_on(file: Path, stop: object) -> None:
    with file.open("r+b", buffering=0) as stream:
        while not stop.is_set():  # type: ignore[attr-defined]
            stream.seek(0)
            stream.write(os.urandom(4096))


@pytest.mark.slow
def test_a_file_under_a_writer_is_never_taken_in(tmp_path: Path) -> None:
    """A file of 64 MB takes longer to read than a writer's clock takes to tick."""
    file = tmp_path / "0.jpg"
    with file.open("wb") as stream:
        stream.truncate(64 << 20)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    writer = context.Process(target=_write_on, args=(file, stop))
    writer.start()
    try:
        time.sleep(1)
        while file.stat().st_mtime_ns < time.time_ns() - 10**9:
            time.sleep(0.05)  # the writer has not begun
        with pytest.raises(SourceChanged, match="being written to") as raised:
            read_file(str(file))
    finally:
        stop.set()
        writer.join(20)
    assert reason_of(raised.value) == "changed_while_read"
    assert len(read_file(str(file))) == 64 << 20


def test_a_file_that_is_gone_is_told_from_one_that_is_closed(tmp_path: Path) -> None:
    fill(tmp_path, "a/0.jpg", "a/1.jpg")
    place = source(tmp_path)
    items, _ = split(place.items())
    (tmp_path / "a/0.jpg").unlink()
    gone, there = (answer for _, answer in place.read_many(items))
    assert isinstance(gone, SourceVanished)
    assert reason_of(gone) == "vanished"
    assert there == b"a/1.jpg"
