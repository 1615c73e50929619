"""A wrong parameter is refused before anything is computed, in a sentence that names it."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.params import check_params, read_params
from vultus.contracts.words import Task
from vultus.errors import BadParameter


def test_a_file_and_changes_are_merged_and_changes_win(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("source: /faces\ntrain: {epochs: 3, lr: 0.01}\ncrop: {}\n")
    given = read_params(file, ["train.epochs=5", "seed=7", "export.inputs=8"])
    assert given == {
        "source": "/faces",
        "seed": 7,
        "train": {"epochs": 5, "lr": 0.01},
        "crop": {},
        "export": {"inputs": 8},
    }


def test_a_dotted_name_reaches_inside() -> None:
    given = read_params(None, ["crop.detector.min_face_px=60", "crop.detector.factor=0.8"])
    assert given == {"crop": {"detector": {"min_face_px": 60, "factor": 0.8}}}
    check_params(Task.RECOGNITION, given)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("train.epochs", "write name=value"),
        ("=3", "write name=value"),
        ("train=3", "step.name=value"),
        ("cook.time=3", "no step is called 'cook'.*ingest, crop"),
        ("colour=blue", "step.name=value|unknown"),
        ("train.epochs=[1", "no YAML"),
    ],
)
def test_a_change_that_cannot_be_read_is_named(change: str, said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        read_params(None, [change])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: {epochs: 3", "cannot be read as YAML"),
        ("- a\n- b\n", "must hold names and values"),
        ("trian: {}\n", "unknown: trian"),
        ("train: 3\n", "has no names inside"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(BadParameter, match=said):
        read_params(file, ["train.epochs=1"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"none\.yaml"):
        read_params(tmp_path / "none.yaml", [])


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"train": {"epochs": "many"}}, r"train\.epochs: .*integer.*'many'"),
        ({"train": {"epochs": 2.5}}, r"train\.epochs"),
        ({"train": {"epochz": 2}}, r"train\.epochz: train knows no such parameter"),
        ({"ingest": {"print_share": 1.5}}, r"ingest\.print_share: .*less than or equal to 1"),
        ({"ingest": {"validation_share": 0.6, "test_share": 0.6}}, "must stay below 1"),
        ({"crop": {"detector": {"factor": 2}}}, r"crop\.detector\.factor"),
        ({"promote": {"max_eer": "low"}}, r"promote\.max_eer"),
        ({"seed": "seven"}, r"seed"),
        ({"source": 3}, r"source"),
        ({"validate": "strict"}, "validate: expected names and values"),
        ({"train": {"seed": 3}}, r"train\.seed belongs to the whole run"),
        ({"ingest": {"source": "/faces"}}, r"ingest\.source belongs to the whole run"),
    ],
)
def test_a_wrong_parameter_names_itself(params: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        check_params(Task.LIVENESS, params)


@pytest.mark.parametrize("task", Task)
def test_the_defaults_are_right(task: Task) -> None:
    check_params(task, {})


def test_kfp_hands_whole_numbers_over_as_floats() -> None:
    check_params(Task.RECOGNITION, {"train": {"epochs": 2.0}, "promote": {"replicates": 60.0}})
