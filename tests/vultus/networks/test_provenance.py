"""Whose weights are in a network, and under which licences, as its training's Params say."""

from pathlib import Path
from typing import Any

import pytest

from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import Architecture, LivenessTransform, RecognitionTransform
from vultus.errors import BadParameter
from vultus.networks.provenance import provenance_of
from vultus.weights import entry


def _checkpoint(folder: Path, name: str, *, pad: bool = False, **said: Any) -> Checkpoint:
    transform = LivenessTransform(members=()) if pad else RecognitionTransform()

    def fill(place: Path) -> None:
        made = Architecture(name=name, options={"dimension": 64})
        (place / "architecture.json").write_text(made.model_dump_json())
        (place / "transform.json").write_text(transform.model_dump_json())

    facts = {"begun_with": said.pop("begun_with", {}), "params": said}
    return Checkpoint.create(folder, fill, made_by="test", facts=facts)


def test_an_untouched_trunk_is_its_publisher_s(tmp_path: Path) -> None:
    said = provenance_of(_checkpoint(tmp_path / "c", "sface-adapter", epochs=0))
    assert said.licence == f"sface: {entry('sface').licence}"
    assert "train split" not in said.training_data
    assert said.architecture == "sface-adapter (dimension 64)"


def test_a_trained_adapter_is_both(tmp_path: Path) -> None:
    said = provenance_of(_checkpoint(tmp_path / "c", "resnet29-adapter", epochs=3))
    assert said.licence == "resnet29: CC0-1.0; trained here: Apache-2.0"
    assert said.training_data.endswith("; then the train split of its run")


def test_a_network_from_nothing_names_its_teacher(tmp_path: Path) -> None:
    made = _checkpoint(tmp_path / "c", "edge", epochs=2, teacher="sface")
    said = provenance_of(made)
    assert said.licence == "trained here: Apache-2.0"
    assert said.training_data == "the train split of its run; taught by sface"


def test_a_frozen_describer_and_simulated_attacks_are_said(tmp_path: Path) -> None:
    said = provenance_of(_checkpoint(tmp_path / "c", "lite0-frozen", pad=True, epochs=1))
    assert f"lite0: {entry('lite0').licence}" in said.licence
    assert said.training_data.endswith("attack presentations simulated")


def test_weights_of_the_user_s_own_say_their_licence_themselves(tmp_path: Path) -> None:
    facts = {"mine": {"licence": "house only", "training_data": "our door"}}
    made = _checkpoint(tmp_path / "c", "ir18", begun_with=facts, epochs=2, weights="mine")
    said = provenance_of(made)
    assert said.licence == "mine: house only; trained here: Apache-2.0"
    assert said.training_data == "mine: our door; then the train split of its run"


def test_weights_that_nobody_describes_are_named(tmp_path: Path) -> None:
    made = _checkpoint(tmp_path / "c", "ir18", epochs=2, weights="mine")
    with pytest.raises(BadParameter, match="mine"):
        provenance_of(made)
