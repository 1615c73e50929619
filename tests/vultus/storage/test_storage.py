"""One law for every store: what went in comes out, or an error says what is wrong."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.s3 import local_s3
from vultus.contracts.seams import Store
from vultus.errors import BadArtifact, StorageUnavailable
from vultus.storage import FolderStore, S3Store
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
        list(S3Store(other).keys())
