"""A bucket is read through everything that passes; what does not pass is said, in time."""

import os
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.ingest.bucket import BucketSource
from components.ingest.choice import source_from
from components.ingest.source import Item, reason_of
from support.s3 import Weed, breaking_line, client_of, local_s3, real_s3, silent_server
from vultus.errors import BadInput, BadSource, SourceChanged, SourceVanished, StorageUnavailable
from vultus.storage.s3 import S3Address

PIECE = 256 << 10
BIG = os.urandom(3 * PIECE + 17)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with local_s3("faces") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    with real_s3(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(params=["moto", pytest.param("weed", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> tuple[S3Address, Any]:
    """Address and client of a server that holds a bucket `faces`."""
    running = request.getfixturevalue(request.param)
    endpoint = running if isinstance(running, str) else running.endpoint
    keys = {"access_key": "key", "secret_key": "secret"}
    keys = keys if isinstance(running, str) else dict(running.keys)
    address = S3Address("faces", f"{request.node.name[5:25]}/", endpoint, timeout_s=10, **keys)
    return address, client_of(endpoint, **keys)


def put(server: tuple[S3Address, Any], **objects: bytes) -> None:
    address, client = server
    for name, data in objects.items():
        key = address.prefix + name.replace("__", "/")
        client.put_object(Bucket=address.bucket, Key=key, Body=data)


def offered(source: BucketSource) -> list[Item]:
    return [entry for entry in source.items() if isinstance(entry, Item)]


def test_what_was_put_is_read_in_one_piece_or_in_several(server: tuple[S3Address, Any]) -> None:
    put(server, b__1=BIG, b__0=b"", a__0=b"small", a__notes={}.__repr__().encode(), top=b"no")
    put(server, **{"a__list.csv": b"subject,path"})
    source = BucketSource(server[0], piece_bytes=PIECE)
    items = offered(pickle.loads(pickle.dumps(source)))  # noqa: S301 -- our own
    assert [item.subject for item in items] == ["a", "a", "b", "b"]
    assert [item.origin for item in items] == ["a/0", "a/notes", "b/0", "b/1"]
    assert source.read(items[0]) == b"small"
    assert source.read(items[2]) == b""
    assert source.read(items[3]) == BIG


def test_an_object_that_was_replaced_is_not_taken_for_the_listed_one(
    server: tuple[S3Address, Any],
) -> None:
    put(server, a__0=b"as listed", a__1=BIG, a__2=b"stays")
    source = BucketSource(server[0], piece_bytes=PIECE)
    items = offered(source)
    put(server, a__0=b"replaced!", a__1=BIG[::-1])
    for item in items[:2]:
        with pytest.raises(SourceChanged, match="replaced") as raised:
            source.read(item)
        assert reason_of(raised.value) == "changed_while_read"
    fresh = offered(source)
    assert [a.fingerprint == b.fingerprint for a, b in zip(items, fresh, strict=True)] == [
        False,
        False,
        True,
    ]
    assert source.read(fresh[1]) == BIG[::-1]


def test_an_object_that_is_gone_is_said_so(server: tuple[S3Address, Any]) -> None:
    put(server, a__0=b"here", a__1=b"still here")
    source = BucketSource(server[0])
    items = offered(source)
    server[1].delete_object(Bucket="faces", Key=f"{server[0].prefix}a/0")
    answers = [answer for _, answer in source.read_many(items)]
    assert isinstance(answers[0], SourceVanished)
    assert answers[1] == b"still here"


def test_many_are_read_in_their_order(server: tuple[S3Address, Any]) -> None:
    put(server, **{f"s{n % 7}__{n:03d}": f"picture {n}".encode() * n for n in range(60)})
    source = BucketSource(server[0])
    items = offered(source)
    answers = list(source.read_many(items))
    assert [item.origin for item, _ in answers] == [item.origin for item in items]
    assert all(
        data == f"picture {int(item.origin[-3:])}".encode() * int(item.origin[-3:])
        for item, data in answers
    )


@pytest.mark.slow
def test_a_long_bucket_is_listed_page_by_page(moto: str) -> None:
    address = S3Address("faces", "long/", moto, access_key="key", secret_key="secret")
    put((address, client_of(moto)), **{f"s__{n:05d}": b"x" for n in range(1203)})
    assert [item.origin for item in offered(BucketSource(address))] == [
        f"s/{n:05d}" for n in range(1203)
    ]


@pytest.mark.parametrize("piece_bytes", [PIECE, 1 << 30], ids=["pieces", "whole"])
def test_a_broken_body_goes_on_from_the_byte_it_reached(moto: str, piece_bytes: int) -> None:
    address = S3Address("faces", f"cut{piece_bytes}/", moto, access_key="key", secret_key="secret")
    put((address, client_of(moto)), a__0=BIG)
    items = offered(BucketSource(address))
    with breaking_line(moto, after_bytes=PIECE // 2, cuts=3) as line:
        source = BucketSource(replace(address, endpoint_url=line.url), piece_bytes=piece_bytes)
        assert source.read(items[0]) == BIG
        assert line.cuts == 3
        begun = {int(asked.split("=")[1].split("-")[0]) for asked in line.ranges}
    assert any(start % PIECE for start in begun), "nothing went on in the middle"


@pytest.mark.slow
def test_a_server_that_accepts_and_stays_silent_is_left_in_time() -> None:
    with silent_server() as endpoint:
        address = S3Address(
            "faces", endpoint_url=endpoint, access_key="k", secret_key="s", timeout_s=1.5
        )
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match=r"gave nothing for 1.5 s.*ENDPOINT_URL"):
            list(BucketSource(address).items())
        with pytest.raises(StorageUnavailable, match=r"gave nothing for 1.5 s"):
            list(BucketSource(address).read_many([Item("a/0", "a", fingerprint="e:5")]))
        assert time.monotonic() - began < 60  # two waits of 1.5 s, on a busy machine


def test_a_server_that_is_not_there_is_named() -> None:
    address = S3Address(
        "faces", endpoint_url="http://127.0.0.1:9", access_key="k", secret_key="s", timeout_s=0.5
    )
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:9.*check VULTUS_STORAGE__"):
        list(BucketSource(address).items())


def test_an_empty_prefix_and_no_bucket_are_told_apart(moto: str) -> None:
    keys = {"access_key": "key", "secret_key": "secret", "endpoint_url": moto}
    empty = source_from(
        "s3://faces/nothing?licence=CC0-1.0", seed=0, weights=Path(), s3=S3Address("", **keys)
    )
    assert empty.licence == "CC0-1.0"
    with pytest.raises(BadSource, match="holds no keys"):
        list(empty.items())
    with pytest.raises(StorageUnavailable, match=r"NoSuchBucket.*check bucket and prefix"):
        list(BucketSource(S3Address("other", **keys)).items())


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_keys_are_said_at_once(weed: Weed, wrong: str) -> None:
    keys = {**weed.keys, wrong: "wrong"}
    address = S3Address("faces", endpoint_url=weed.endpoint, timeout_s=3600, **keys)
    with pytest.raises(StorageUnavailable, match=r"VULTUS_STORAGE__ACCESS_KEY.*SECRET_KEY"):
        list(BucketSource(address).items())


@pytest.mark.slow
def test_a_server_killed_and_started_again_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    with real_s3(tmp_path) as weed:
        address = S3Address("faces", "set/", weed.endpoint, timeout_s=40, **weed.keys)
        client = client_of(weed.endpoint, **weed.keys)
        held = {f"s{n % 5}__{n:02d}": os.urandom(50_000) for n in range(40)}
        put((address, client), **held)
        source = BucketSource(address, piece_bytes=20_000)
        items = offered(source)
        answers: list[tuple[Item, bytes | BadInput]] = []
        reading = source.read_many(items)
        answers.append(next(reading))
        weed.kill()
        threading.Timer(1.5, weed.start).start()
        answers += reading
        assert {item.origin.replace("/", "__"): data for item, data in answers} == held
        weed.kill()
        short = BucketSource(replace(address, timeout_s=1))
        with pytest.raises(StorageUnavailable, match="gave nothing for 1 s"):
            list(short.read_many(items))
