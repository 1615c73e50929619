"""Frames of videos as pictures: the named ones, decoded forwards once, refused when they lie."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.ingest.choice import source_from
from components.ingest.source import Item, Refused, Source, reason_of
from components.ingest.video import FrameReader, frames_of
from support.clips import number_of, write_clip
from vultus.errors import BadImage, SourceChanged, SourceVanished
from vultus.faces.picture import decode_image, encode_jpeg


def source(uri: str) -> Source:
    return source_from(uri, seed=0, weights=Path("/nowhere"))


def split(made: Source) -> tuple[dict[str, Item], dict[str, Refused]]:
    held = list(made.items())
    return (
        {entry.origin: entry for entry in held if isinstance(entry, Item)},
        {entry.origin: entry for entry in held if isinstance(entry, Refused)},
    )


def test_frames_are_the_ones_that_were_named(tmp_path: Path) -> None:
    write_clip(tmp_path / "live/anna/a.avi", frames=60)
    write_clip(tmp_path / "replay/anna/b.mp4", frames=55)
    made = pickle.loads(pickle.dumps(source(f"pad:{tmp_path}?every=20")))  # noqa: S301 -- our own
    items, _ = split(made)
    assert [item.key[0] for item in items.values()] == [0, 20, 40, 0, 20, 40]
    answers = list(made.read_many(items.values()))
    for item, data in [*answers, *reversed(answers)]:
        assert isinstance(data, bytes)
        assert number_of(decode_image(data)) == item.key[0]
        assert made.read(item) == data


def test_a_video_is_decoded_forwards_once(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "a.avi", frames=60)
    reader = FrameReader()
    opened = set()
    for number in frames_of(file, 7):
        reader.read(file, number)
        opened.add(id(reader._capture))
    assert len(opened) == 1
    held = reader._capture
    reader.read(file, 0)
    assert reader._capture is not held


def test_a_frame_keeps_its_colour(tmp_path: Path) -> None:
    """Half the colour's resolution would smear a red line of one pixel on grey."""
    image = np.full((64, 64, 3), 128, np.uint8)
    image[:, ::2] = (180, 100, 100)
    full, half = (
        decode_image(encode_jpeg(image, 98, full_colour=choice)) for choice in (True, False)
    )
    assert np.abs(full.astype(int) - image).mean() < 2
    assert np.abs(half.astype(int) - image).mean() > 8


def test_videos_that_are_none_or_lie_are_refused(tmp_path: Path) -> None:
    good = write_clip(tmp_path / "live/a/0.avi", frames=60)
    (tmp_path / "live/a/empty.mov").write_bytes(b"")
    (tmp_path / "live/a/text.mp4").write_bytes(b"Dear Sir or Madam" * 100)
    lying = good.read_bytes()
    place = lying.index(b"avih") + 8 + 16  # dwTotalFrames of the AVI header
    (tmp_path / "live/a/many.avi").write_bytes(
        lying[:place]
        + (2**31 - 1).to_bytes(4, "little")
        + lying[place + 4 :].replace(b"idx1", b"junk")
    )
    (tmp_path / "live/a/cut.avi").write_bytes(lying[: len(lying) // 2])
    made = source(f"pad:{tmp_path}?every=10")
    items, refused = split(made)
    assert {name.split("/")[-1] for name in refused} == {"empty.mov", "text.mp4"}
    assert sum(name.startswith("live/a/many") for name in items) < len(lying) / 8
    answers = [answer for _, answer in made.read_many(items.values())]
    assert sum(isinstance(answer, bytes) for answer in answers) >= 6 + 6 + 3
    assert all(isinstance(answer, bytes | BadImage) for answer in answers)


def test_a_video_that_changes_or_goes_is_said(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "live/a/0.avi", frames=60)
    made = source(f"pad:{tmp_path}?every=20")
    items = list(split(made)[0].values())
    before = made.read(items[0])
    write_clip(file, frames=60, first=3)
    os.utime(file, ns=(1, 1))
    assert made.read(items[1]) != before
    assert number_of(decode_image(made.read(items[1]))) == 23
    file.unlink()
    with pytest.raises(SourceVanished):
        made.read(items[2])


def test_a_video_under_a_writer_is_not_taken_in(tmp_path: Path) -> None:
    """The clock of the file moves between the two looks at it, on every one of the tries."""
    file = write_clip(tmp_path / "live/a/0.avi", frames=60, side=1024)
    touch = f"import os, sys; print(0, flush=True)\nwhile 1: os.utime({str(file)!r})"
    with subprocess.Popen([sys.executable, "-c", touch], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            with pytest.raises(SourceChanged) as raised:
                FrameReader().read(file, 59)
        finally:
            writer.kill()
    assert reason_of(raised.value) == "changed_while_read"
