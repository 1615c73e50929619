"""Ingest takes what can be trusted, refuses the rest by name, and repeats itself exactly."""

from pathlib import Path

import boto3
import pytest

from components.ingest import IngestParams, IngestReport, ingest_faces
from components.ingest.choice import source_from
from components.ingest.split import pseudonym_of, split_of
from support.faces_on_disk import spoil, write_people
from support.heads import weights_folder
from support.s3 import local_s3
from vultus.contracts.faces import RawFaces
from vultus.contracts.words import Split
from vultus.errors import BadSource, StorageUnavailable
from vultus.storage import FolderStore
from vultus.storage.s3 import S3Address

KEY = b"k" * 32


def ingest(source: str, out: Path, s3: S3Address | None = None, **params: object) -> IngestReport:
    store = FolderStore(out.parent / "store")
    return ingest_faces(
        out,
        IngestParams.model_validate({"source": source, **params}),
        store=store,
        pseudonym_key=KEY,
        weights=weights_folder(),
        journals=out.parent / "ingest",
        s3=s3,
    )


def named(origin: str) -> str:
    """The origin as the source calls it: quarantine knows pseudonyms alone."""
    for name in ("loner", *(f"person-{number}" for number in range(4))):
        origin = origin.replace(pseudonym_of(name, KEY), name)
    return origin


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people"), people=4, images=3)


def test_a_folder_of_folders_becomes_a_table(people: Path, tmp_path: Path) -> None:
    report = ingest(str(people), tmp_path / "raw")
    raw = RawFaces.open(tmp_path / "raw")
    rows = raw.faces.to_pylist()
    assert report.images == len(rows) > 12
    assert report.subjects == 4
    assert sum(not row["simulated"] for row in rows) == 12
    assert {row["subject"] for row in rows} == {pseudonym_of(f"person-{i}", KEY) for i in range(4)}
    assert all("person" not in row["subject"] for row in rows)
    store = FolderStore(tmp_path / "store")
    assert all(len(store.get(row["image_sha256"])) == row["bytes"] for row in rows)


def test_a_folder_may_be_named_from_where_one_stands(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people.parent)
    items = list(source_from(people.name, seed=0, weights=tmp_path).items())
    assert len(items) == 12


def test_attacks_have_a_species_and_their_parameters(people: Path, tmp_path: Path) -> None:
    ingest(str(people), tmp_path / "raw", print_share=1, replay_share=1, mask_share=1)
    rows = RawFaces.open(tmp_path / "raw").faces.to_pylist()
    attacks = [row for row in rows if row["presentation"] == "attack"]
    assert {row["species"] for row in attacks} == {"print", "replay", "mask"}
    assert all(row["simulated"] and '"camera"' in row["simulation"] for row in attacks)
    assert all(row["species"] is None for row in rows if row["presentation"] == "bona_fide")


def test_the_same_source_gives_the_same_data_version(people: Path, tmp_path: Path) -> None:
    one, two = (ingest(str(people), tmp_path / name / "raw") for name in ("one", "two"))
    assert one.digest == two.digest
    assert ingest(str(people), tmp_path / "three" / "raw", seed=1).digest != one.digest


def test_everything_bad_is_refused_by_name_and_the_rest_stays(tmp_path: Path) -> None:
    root = write_people(tmp_path / "people", people=4, images=2)
    expected = spoil(root)
    ingest(
        str(root),
        tmp_path / "raw",
        print_share=0,
        replay_share=0,
        mask_share=0,
        recapture_share=0,
        tight_share=0,
    )
    raw = RawFaces.open(tmp_path / "raw")
    assert raw.faces.num_rows == 8
    found = {named(row["origin"]): row["reason"] for row in raw.quarantine.to_pylist()}
    again = {"person-1/again.jpg", "person-1/0.jpg"}  # either copy may be the one that stays
    assert {k: v for k, v in found.items() if k not in again} == {
        k: v for k, v in expected.items() if k not in again
    }
    assert [found[name] for name in again if name in found] == ["duplicate"]
    assert all(row["detail"] for row in raw.quarantine.to_pylist())


def test_a_list_file_names_attacks_and_attributes(people: Path, tmp_path: Path) -> None:
    listed = people / "list.csv"
    listed.write_text(
        "subject,path,presentation,species,attribute_light\n"
        "a,person-0/0.jpg,bona_fide,,day\n"
        "a,person-0/1.jpg,bona_fide,,night\n"
        "a,person-0/2.jpg,attack,print,day\n"
        "a,person-1/0.jpg,attack,,day\n"
    )
    ingest(
        str(listed),
        tmp_path / "raw",
        print_share=0,
        replay_share=0,
        mask_share=0,
        recapture_share=0,
        tight_share=0,
    )
    raw = RawFaces.open(tmp_path / "raw")
    assert [row["species"] for row in raw.faces.to_pylist()] == [None, None, "print"]
    assert dict(raw.faces.to_pylist()[1]["attributes"]) == {"light": "night"}
    assert [row["reason"] for row in raw.quarantine.to_pylist()] == ["bad_row"]


def test_a_bucket_is_a_folder_too(people: Path, tmp_path: Path) -> None:
    with local_s3("faces") as endpoint:
        keys = {"access_key": "key", "secret_key": "secret", "endpoint_url": endpoint}
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        for file in sorted(people.rglob("*.jpg")):
            key = f"set/{file.relative_to(people).as_posix()}"
            client.put_object(Bucket="faces", Key=key, Body=file.read_bytes())
        report = ingest("s3://faces/set", tmp_path / "raw", S3Address(bucket="", **keys))
    assert report.subjects == 4


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("ftp://nowhere", "unknown source"),
        ("/no/such/folder", "not a folder"),
        ("synthetic:dogs=3", "people=<whole number>"),
        ("synthetic:people=many", "whole number"),
    ],
)
def test_an_unknown_source_says_what_is_known(source: str, said: str) -> None:
    with pytest.raises(BadSource, match=said):
        list(source_from(source, seed=0, weights=weights_folder()).items())


def test_a_full_disk_leaves_no_artifact(people: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        ingest_faces(
            tmp_path / "raw",
            IngestParams(source=str(people)),
            store=FolderStore(Path("/dev/full")),
            pseudonym_key=KEY,
            weights=weights_folder(),
            journals=tmp_path / "ingest",
        )
    assert not (tmp_path / "raw").exists()


def test_a_subject_never_changes_its_split_when_others_come() -> None:
    shares = {"split_seed": 3, "validation_share": 0.2, "test_share": 0.2}
    names = [f"subject {i}" for i in range(3000)]
    splits = [split_of(name, **shares) for name in names]
    assert splits[:1000] == [split_of(name, **shares) for name in names[:1000]]
    share = [splits.count(split) / len(splits) for split in Split]
    assert share == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


@pytest.mark.slow
def test_more_processes_change_no_result(people: Path, tmp_path: Path) -> None:
    one = ingest(str(people), tmp_path / "one" / "raw")
    two = ingest_faces(
        tmp_path / "two" / "raw",
        IngestParams(source=str(people)),
        store=FolderStore(tmp_path / "two" / "store"),
        pseudonym_key=KEY,
        weights=weights_folder(),
        journals=tmp_path / "two-ingest",
        processes=2,
    )
    assert one.digest == two.digest
