"""What a run prints tells how far it is, and why it stopped."""

import io

from pipelines.steplog import Step, StepLog

SAID = """\
12:00:00 - INFO - Executing task \x1b[96m'ingest'\x1b[0m
    [KFP Executor 1] vultus INFO ingest: done 10, of 40, left_s 12
12:00:01 - INFO - Task \x1b[96m'ingest'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m
12:00:02 - INFO - Executing task 'crop'
    Traceback (most recent call last):
    vultus.errors.BadSource: /faces is not a folder that can be read; check the path
12:00:03 - INFO - Task 'crop' finished with status FAILURE
"""


def log(text: str) -> tuple[StepLog, io.StringIO, list[int]]:
    file, moves = io.StringIO(), [0]

    def moved() -> None:
        moves[0] += 1

    found = StepLog({"ingest": Step("ingest"), "crop": Step("crop")}, file, moved)
    # In pieces, as a stream comes: a line may arrive in two.
    for start in range(0, len(text), 7):
        found.write(text[start : start + 7])
    return found, file, moves


def test_every_line_is_kept_and_every_step_has_its_state() -> None:
    found, file, moves = log(SAID)
    assert file.getvalue() == SAID
    assert {name: step.status for name, step in found.steps.items()} == {
        "ingest": "done",
        "crop": "failed",
    }
    assert moves[0] == 5


def test_progress_is_shown_while_a_step_runs() -> None:
    running = "".join(SAID.splitlines(keepends=True)[:2])
    found, _, _ = log(running)
    assert found.steps["ingest"].status == "running"
    assert found.steps["ingest"].detail == "ingest: done 10, of 40, left_s 12"


def test_the_steps_own_message_is_the_reason() -> None:
    found, _, _ = log(SAID)
    assert found.error == ["/faces is not a folder that can be read; check the path"]


def test_a_warning_stays_with_its_step() -> None:
    said = SAID.replace("vultus INFO ingest: done 10", "vultus WARNING disk nearly full: done 10")
    found, _, moves = log(said)
    assert found.steps["ingest"].warnings == ["disk nearly full: done 10, of 40, left_s 12"]
    assert found.steps["ingest"].status == "done"
    assert found.steps["crop"].warnings == []
    assert moves[0] == 5
