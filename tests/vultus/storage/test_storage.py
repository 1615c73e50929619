"""One law for every store: what went in comes out, or an error says what is wrong."""

import hashlib
import itertools
import mmap
import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.s3 import local_s3
from vultus.contracts.seams import Store
from vultus.errors import BadArtifact, StorageUnavailable
from vultus.storage import FolderStore, S3Store
from vultus.storage.folder import FolderFiles
from vultus.storage.packs import PackIndex, write_pack
from vultus.storage.s3 import S3Address


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    with local_s3() as endpoint:
        yield endpoint


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    endpoint = request.getfixturevalue("s3_endpoint")
    return S3Store(
        S3Address("vultus", f"{tmp_path.name}/", endpoint, access_key="key", secret_key="secret")
    )


def test_what_went_in_comes_out(store: Store) -> None:
    data = os.urandom(10_000)
    digest = store.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert store.put(data) == digest
    assert store.has(digest)
    assert store.get(digest) == data


def test_what_never_went_in_is_missed_by_name(store: Store) -> None:
    absent = "0" * 64
    assert not store.has(absent)
    with pytest.raises(BadArtifact, match=absent):
        store.get(absent)


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(b"as it was")
    next(file for file in tmp_path.rglob("*") if file.is_file()).write_bytes(b"as it is")
    with pytest.raises(BadArtifact, match="cut or changed"):
        store.get(digest)


def test_a_full_disk_leaves_nothing_half_written() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageUnavailable, match="cannot write"):
        FolderStore(full).put(b"no room")


def test_a_server_that_is_not_there_is_named() -> None:
    nowhere = S3Address(
        "vultus", endpoint_url="http://127.0.0.1:9", access_key="k", secret_key="s", attempts=1
    )
    with pytest.raises(StorageUnavailable, match="VULTUS_STORAGE__ENDPOINT_URL"):
        S3Store(nowhere).put(b"x")


def test_a_bucket_that_refuses_is_named(s3_endpoint: str) -> None:
    other = S3Address(
        "no-such-bucket", endpoint_url=s3_endpoint, access_key="key", secret_key="secret"
    )
    with pytest.raises(StorageUnavailable, match="no-such-bucket"):
        S3Store(other).has("0" * 64)


def test_many_pieces_share_a_file_and_come_out_one_by_one(store: Store) -> None:
    pieces = [os.urandom(size) for size in (1, 5_000, 0, 300)]
    digests = store.put_many(pieces)
    assert digests == [hashlib.sha256(piece).hexdigest() for piece in pieces]
    assert [store.get(digest) for digest in digests] == pieces
    assert store.has_many([*digests, "0" * 64]).tolist() == [True] * 4 + [False]
    assert store.put_many([*pieces[:2], b"new"])[:2] == digests[:2]
    copy: Store = pickle.loads(pickle.dumps(store))  # noqa: S301 -- how a worker gets it
    assert copy.get(digests[1]) == pieces[1]


@pytest.mark.parametrize("length", [4 << 20, (4 << 20) + 1, (6 << 20) - 1, 9_999_999])
def test_a_long_pack_is_written_as_it_is(tmp_path: Path, length: int) -> None:
    """Long files go to the disk in aligned blocks: none of the filling may stay."""
    piece = os.urandom(1_000_003)
    pieces = [piece[: min(len(piece), length - at)] for at in range(0, length, len(piece))]
    pieces = [bytes([number]) + one[1:] for number, one in enumerate(pieces)]
    digests = FolderStore(tmp_path).put_many(pieces)
    pack = next((tmp_path / "packs").glob("*.pack"))
    assert pack.read_bytes() == b"".join(pieces)
    assert [FolderStore(tmp_path).get(digest) for digest in digests] == pieces


def blocked(pieces: list[bytes], first: int = 0) -> memoryview:
    """The pieces side by side, so many bytes behind the beginning of a page."""
    held = memoryview(mmap.mmap(-1, first + sum(map(len, pieces))))
    held[first:] = b"".join(pieces)
    return held[first:]


def hashed(pieces: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(piece).digest() for piece in pieces]


def test_a_block_of_pieces_is_kept_like_the_pieces(store: Store) -> None:
    pieces = [os.urandom(size) for size in (1, 5_000, 0, 300)]
    digests, lengths = hashed(pieces), [len(piece) for piece in pieces]
    store.put_block(blocked(pieces), lengths, digests)
    assert [store.get(digest.hex()) for digest in digests] == pieces
    again = [pieces[1], b"new", b"new", pieces[0]]  # some known, one twice
    store.put_block(blocked(again), [len(piece) for piece in again], hashed(again))
    assert [store.get(digest.hex()) for digest in hashed(again)] == again


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("length", [4 << 20, (4 << 20) + 1, (6 << 20) - 1, 9_999_999])
def test_a_long_block_is_written_as_it_is(tmp_path: Path, length: int, first: int) -> None:
    """At a page it goes to the disk from where it is, elsewhere by way of a block that is."""
    pieces = [os.urandom(1_000_003), os.urandom(length - 1_000_003)]
    block = blocked(pieces, first)
    FolderStore(tmp_path).put_block(block, [len(piece) for piece in pieces], hashed(pieces))
    pack = next((tmp_path / "packs").glob("*.pack"))
    assert pack.read_bytes() == block
    assert [FolderStore(tmp_path).get(digest.hex()) for digest in hashed(pieces)] == pieces


def test_of_a_block_only_what_is_new_is_written(tmp_path: Path) -> None:
    pieces = [os.urandom(100), os.urandom(200)]
    FolderStore(tmp_path).put_many(pieces[:1])
    FolderStore(tmp_path).put_block(blocked(pieces), [100, 200], hashed(pieces))
    sizes = sorted(file.stat().st_size for file in (tmp_path / "packs").glob("*.pack"))
    assert sizes == [100, 200]


def test_another_writer_is_seen(store: Store) -> None:
    reader: Store = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert not reader.has("0" * 64)
    digest = store.put_many([b"first", b"second"])[1]
    assert reader.get(digest) == b"second"
    assert reader.has(digest)


def test_a_pack_without_its_index_does_not_exist(tmp_path: Path) -> None:
    digests = FolderStore(tmp_path).put_many([b"one", b"two"])
    assert len(list((tmp_path / "packs").iterdir())) == 2
    next((tmp_path / "packs").glob("*.idx")).unlink()
    reader = FolderStore(tmp_path)
    assert not reader.has(digests[0])
    assert reader.put_many([b"one", b"two"]) == digests
    assert reader.get(digests[1]) == b"two"


def test_a_cut_pack_is_named(tmp_path: Path) -> None:
    digest = FolderStore(tmp_path).put_many([b"one", b"two"])[1]
    pack = next((tmp_path / "packs").glob("*.pack"))
    pack.write_bytes(pack.read_bytes()[:4])
    with pytest.raises(BadArtifact, match=pack.name):
        FolderStore(tmp_path).get(digest)
    pack.unlink()
    assert FolderStore(tmp_path).put_many([b"two"]) == [digest]
    assert FolderStore(tmp_path).get(digest) == b"two"


@settings(deadline=None)  # every pack waits for the disk
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 7))
def test_however_pieces_are_put_together_all_come_out(pieces: list[bytes], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        digests = [
            digest
            for start in range(0, len(pieces), size)
            for digest in store.put_many(pieces[start : start + size])
        ]
        assert [store.get(digest) for digest in digests] == pieces


def test_a_new_pack_does_not_sort_all_that_is_known(tmp_path: Path) -> None:
    """Runs at least halve in length: n packs, seen one by one, cost n log n, not n²."""
    index, files = PackIndex(FolderFiles(tmp_path)), FolderFiles(tmp_path)
    digests = []
    for number in range(40):
        pieces = [bytes([number, place]) for place in range(1 + number % 7)]
        digests += [hashlib.sha256(piece).digest() for piece in pieces]
        write_pack(files, pieces, [hashlib.sha256(piece).digest() for piece in pieces])
        assert index.refresh()
        lengths = [len(run.heads) for run in index._known.runs]
        assert all(2 * after <= before for before, after in itertools.pairwise(lengths))
        assert sum(lengths) == len(digests)
    heads = np.array([int.from_bytes(digest[:8], "big") for digest in digests], np.uint64)
    assert index.holds(heads).all()
    assert not index.holds(heads ^ np.uint64(1)).any()
    assert all(len(index.find(digest)) == 1 for digest in digests)
