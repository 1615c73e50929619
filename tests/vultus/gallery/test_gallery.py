"""The gallery's promises: exact search, nothing readable in the file, nothing left of the deleted."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.contracts.arrays import Embeddings
from vultus.errors import BadArtifact, BadParameter, StorageUnavailable
from vultus.gallery import Gallery
from vultus.gallery.index import Index
from vultus.gallery.sealing import template_bytes

KEY = b"k" * 32
MODEL = "vultus-recognition/1"


def unit(seed: int, dimension: int = 128) -> Embeddings:
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    made = Gallery(tmp_path / "gallery", KEY)
    yield made
    made.close()


def enrol(gallery: Gallery, subject: str, seed: int, model: str = MODEL) -> tuple[bool, int]:
    return gallery.add(subject, unit(seed), model=model, image_sha256=f"{seed:064x}")


def found(gallery: Gallery, seed: int, model: str = MODEL, limit: int = 5) -> list[str]:
    return [c.subject for c in gallery.search(unit(seed), model=model, threshold=0.5, limit=limit)]


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_the_same_image_again_changes_nothing(gallery: Gallery) -> None:
    assert enrol(gallery, "ada", 1) == (True, 1)
    assert enrol(gallery, "ada", 1) == (False, 1)
    assert enrol(gallery, "ada", 2) == (True, 2)
    assert (gallery.references("ada"), gallery.count()) == (2, 1)


def test_a_subject_is_one_candidate_however_many_references(gallery: Gallery) -> None:
    for seed in (1, 2, 3):
        enrol(gallery, "ada", seed)
    enrol(gallery, "bea", 4)
    candidates = gallery.search(unit(2), model=MODEL, threshold=-1.0, limit=5)
    assert [c.subject for c in candidates] == ["ada", "bea"]
    assert candidates[0].score == pytest.approx(1.0, abs=1e-6)
    assert len(gallery.search(unit(2), model=MODEL, threshold=-1.0, limit=1)) == 1


def test_models_do_not_see_each_other(gallery: Gallery) -> None:
    enrol(gallery, "ada", 1)
    gallery.add("ada", unit(9, 64), model="vultus-recognition/2", image_sha256="a" * 64)
    assert found(gallery, 1) == ["ada"]
    assert found(gallery, 1, model="vultus-recognition/3") == []
    again = gallery.search(unit(9, 64), model="vultus-recognition/2", threshold=0.5, limit=5)
    assert [c.subject for c in again] == ["ada"]
    assert gallery.references("ada") == 2


def test_another_process_sees_what_this_one_does(gallery: Gallery, tmp_path: Path) -> None:
    other = Gallery(tmp_path / "gallery", KEY)
    enrol(gallery, "ada", 1)
    assert found(other, 1) == ["ada"]
    other.remove("ada")
    assert found(gallery, 1) == []
    enrol(other, "bea", 2)
    enrol(gallery, "cleo", 3)
    assert found(gallery, 2) == ["bea"]
    assert found(other, 3) == ["cleo"]
    other.close()


def test_nothing_in_the_file_can_be_read(gallery: Gallery, tmp_path: Path) -> None:
    enrol(gallery, "Ada Lovelace", 1)
    stored = all_bytes(tmp_path / "gallery")
    for secret in (b"Ada", b"Lovelace", template_bytes(unit(1)), f"{1:064x}".encode(), KEY):
        assert secret not in stored


def test_deletion_deletes(gallery: Gallery, tmp_path: Path) -> None:
    """Not one sealed box, pseudonym or wrapped key of the subject stays in file, log or index."""
    for seed in range(40):
        enrol(gallery, "ada", seed)
    enrol(gallery, "bea", 100)
    with sqlite3.connect(tmp_path / "gallery" / "gallery.db") as rows:
        boxes = [
            box
            for row in rows.execute(
                "SELECT s.pseudonym, s.wrapped_key, s.name, r.image, r.template FROM reference r "
                "JOIN subject s ON s.id = r.subject WHERE r.id <= 40"
            )
            for box in row
        ]
    rows.close()
    before = all_bytes(tmp_path / "gallery")
    assert all(box in before for box in boxes)

    assert gallery.remove("ada") == 40

    after = all_bytes(tmp_path / "gallery")
    assert not [box for box in boxes if box in after or box[:16] in after]
    assert "ada" not in gallery._names.values()
    assert gallery.references("ada") == 0
    assert found(gallery, 100) == ["bea"]
    assert gallery.remove("ada") == 0


def test_a_name_can_come_back_with_a_new_key(gallery: Gallery) -> None:
    enrol(gallery, "ada", 1)
    gallery.remove("ada")
    assert enrol(gallery, "ada", 1) == (True, 1)
    assert found(gallery, 1) == ["ada"]


def test_another_key_is_refused_and_says_so(gallery: Gallery, tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="another key"):
        Gallery(tmp_path / "gallery", b"x" * 32)
    with pytest.raises(BadParameter, match="at least 16"):
        Gallery(tmp_path / "other", b"short")


def test_a_template_moved_to_another_subject_does_not_open(
    gallery: Gallery, tmp_path: Path
) -> None:
    """Who can write the file still cannot become somebody else."""
    enrol(gallery, "ada", 1)
    enrol(gallery, "mallory", 2)
    with sqlite3.connect(tmp_path / "gallery" / "gallery.db") as rows:
        rows.execute("UPDATE reference SET subject = 1, image = randomblob(32) WHERE subject = 2")
    rows.close()
    with pytest.raises(BadArtifact, match="was changed"):
        found(gallery, 2)


@pytest.mark.parametrize("subject", ["", "  ", "x" * 201])
def test_a_subject_needs_a_name(gallery: Gallery, subject: str) -> None:
    with pytest.raises(BadParameter, match="1 to 200"):
        enrol(gallery, subject, 1)


def test_a_template_has_unit_length(gallery: Gallery) -> None:
    with pytest.raises(BadParameter, match="unit length"):
        gallery.add("ada", 2 * unit(1), model=MODEL, image_sha256="0" * 64)
    enrol(gallery, "ada", 1)
    with pytest.raises(BadParameter, match="shape"):
        gallery.search(unit(1, 64), model=MODEL, threshold=0.5, limit=5)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="file"):
        Gallery(tmp_path / "file" / "gallery", KEY)


def test_threads_enrol_search_and_forget_at_once(gallery: Gallery) -> None:
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for step in range(8):
                seed = thread * 100 + step
                enrol(gallery, f"{thread}-{step}", seed)
                assert found(gallery, seed) == [f"{thread}-{step}"]
                if step % 2:
                    gallery.remove(f"{thread}-{step}")
                    assert found(gallery, seed) == []
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert gallery.count() == 16


def _enrol_many(folder: Path, first: int) -> None:
    gallery = Gallery(folder, KEY)
    for seed in range(first, first + 10):
        enrol(gallery, f"subject-{seed}", seed)
    gallery.close()


@pytest.mark.slow
def test_processes_enrol_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "gallery"
    workers = [context.Process(target=_enrol_many, args=(folder, 50 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    gallery = Gallery(folder, KEY)
    assert gallery.count() == 30
    assert all(found(gallery, seed) == [f"subject-{seed}"] for seed in (0, 55, 109))
    gallery.close()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 8), st.floats(-1, 1))
def test_search_is_what_a_loop_over_all_pairs_finds(
    seed: int, rows: int, limit: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, 10, rows)
    templates = [unit(seed + 1 + n, 8) for n in range(rows)]
    index = Index.empty(8).plus(
        [(n, int(subjects[n]), template) for n, template in enumerate(templates)]
    )
    probe = unit(seed, 8)
    best: dict[int, float] = {}
    for subject, template in zip(subjects.tolist(), templates, strict=True):
        best[subject] = max(best.get(subject, -2.0), float(template @ probe))
    clear = {s: v for s, v in best.items() if abs(v - threshold) > 1e-5}
    answer = index.search(probe, threshold, limit)
    near = sorted((v for v in clear.values() if v >= threshold), reverse=True)
    if len(clear) == len(best):
        assert [score for _, score in answer] == pytest.approx(near[:limit], abs=1e-5)
    assert all(score == pytest.approx(best[subject], abs=1e-5) for subject, score in answer)
