"""A new recogniser asks nobody to enrol again, and nobody is matched by one he never met."""

from typing import Any

import pytest

from support.served import Pictures, promote_recogniser
from vultus.contracts.answers import IdentifyAnswer
from vultus.contracts.words import MatchDecision

OLD, NEW = "vultus-recognition/1", "vultus-recognition/2"


@pytest.fixture
def enrolled(world: Any, shown: Pictures) -> Any:
    """Ada and Bea are known to version 1; version 2 answers now."""
    for name in ("ada", "bea"):
        said = world.http.put(
            f"/api/v1/subjects/{name}/references",
            files={"image": ("x.jpg", getattr(shown, name))},
        )
        assert said.json()["decision"] == "enrolled"
    promote_recogniser(world.home, 2)
    assert world.service.assembly.check()
    return world


def identify(world: Any, picture: bytes) -> IdentifyAnswer:
    said = world.http.post("/api/v1/identify", files={"image": ("x.jpg", picture)})
    return IdentifyAnswer.model_validate_json(said.text)


def test_who_was_enrolled_before_is_found_and_known_from_then_on(
    enrolled: Any, shown: Pictures
) -> None:
    gallery = enrolled.service.gallery
    assert gallery.left_behind(NEW) == {OLD: {"ada", "bea"}}
    first = identify(enrolled, shown.ada)
    assert (first.decision, first.candidates[0].subject) == (MatchDecision.MATCH, "ada")
    assert first.models.recognition == OLD
    assert first.score is not None
    assert first.threshold is not None
    assert first.score >= first.threshold
    assert gallery.left_behind(NEW) == {OLD: {"bea"}}
    second = identify(enrolled, shown.ada)
    assert (second.candidates[0].subject, second.models.recognition) == ("ada", NEW)


def test_an_attack_hands_nothing_on(enrolled: Any, shown: Pictures) -> None:
    assert identify(enrolled, shown.attack).reason == "attack"
    assert enrolled.service.gallery.left_behind(NEW) == {OLD: {"ada", "bea"}}


def test_an_earlier_version_retires_when_nobody_is_left_behind(
    enrolled: Any, shown: Pictures
) -> None:
    for picture in (shown.ada, shown.bea):
        identify(enrolled, picture)
    assert enrolled.service.gallery.left_behind(NEW) == {}


def test_forgetting_forgets_under_every_version(enrolled: Any, shown: Pictures) -> None:
    identify(enrolled, shown.ada)
    assert enrolled.http.delete("/api/v1/subjects/ada").json()["references"] == 2
    answer = identify(enrolled, shown.ada)
    assert "ada" not in [candidate.subject for candidate in answer.candidates]


def test_a_version_whose_files_are_gone_is_said_once_and_matches_nobody(
    enrolled: Any, shown: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    (enrolled.home.models / OLD).rename(enrolled.home.models / "elsewhere")
    answers = [identify(enrolled, shown.ada) for _ in range(2)]
    assert {answer.reason for answer in answers} == {"unknown_subject"}
    assert caplog.text.count("must enrol again") == 1
