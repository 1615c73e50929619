"""What a person does next: one sentence for what led the report's answer."""

from monitoring.examination import Examination
from monitoring.policy import Decision
from monitoring.sentence import ranked
from vultus.contracts.traffic import DriftReport

_FOR = {
    "quality_under_exposure_prevention": (
        "Look at the light at the camera: a lamp that is out, a blind, dirt on the lens. "
        "Nothing has to be trained for that."
    ),
    "quality_over_exposure_prevention": (
        "Look for light that falls into the camera: low sun, a new lamp. Move or shade the camera."
    ),
    "quality_sharpness": "Clean the lens, check the focus and that the camera is not shaken.",
    "quality_dynamic_range": "Check the camera's exposure and look for haze or a veil on the lens.",
    "quality_inter_eye_distance": (
        "Check where people stand and that the camera was not moved or zoomed."
    ),
    "quality_head_pose": "Check the camera's height and angle, and what people look at there.",
    "quality_unified": "Look at the camera: several things got a little worse at once.",
    "sketch": (
        "Find out who comes now: new staff, another site, visitors. If they belong there, add "
        "labelled pictures of people like them and let `vultus run` train again."
    ),
    "score": (
        "Pictures look as before, scores do not: check references that grew old and what changed in "
        "the software; then train again with new labelled pictures."
    ),
    "margin": "Check whether the threshold or the FMR that clients ask for was changed.",
    "pad_score": (
        "Check for a new camera or new light; collect bona fide and attack presentations from it "
        "and train PAD again."
    ),
    "decision": "Look at the requests that are not decided: their reason tells what people do wrong.",
    "latency_total_ms": "Look at the load of the server, its processors and its neighbours.",
}


def advice(found: Examination, report: DriftReport) -> list[str]:
    """Sentences, the most urgent first; at least one."""
    said = []
    attacks, reference = found.attacks, found.reference
    if attacks.alarming:
        where = attacks.device
        said.append(
            "Have somebody go and look"
            + (f" at {where}" if where else " at the cameras concerned")
            + "; read the requests of that time in the server's log, and block the tenant if need be."
        )
    columns = [one.sample.column for one in ranked(found.findings)]
    columns += [one.test.column for one in found.permuted if one.drifted]
    if "sketch" in columns and not columns[0].startswith("quality"):
        columns.insert(0, "sketch")
    if columns:
        said.append(_FOR[columns[0]])
    if report.status == "drift" and not reference.live and not attacks.alarming:
        said.append(
            "This compares a door with a laboratory. If the traffic is as it should be, make it the "
            "reference: vultus monitor --confirm."
        )
    if report.status == "not_enough_data":
        said.append(_to_get_data(found))
    return said or ["Nothing to do."]


def _to_get_data(found: Examination) -> str:
    if not found.window.rows:
        return (
            "Start `vultus serve` and send requests, or widen the window: vultus monitor --last 7d."
        )
    if not found.reference.table.num_rows:
        return "Promote models with `vultus run`, or confirm this window: vultus monitor --confirm."
    return "Wait for more traffic, or widen the window: vultus monitor --last 7d."


def outcome(decision: Decision) -> str:
    """`Alert: …`, `Retrain: …` or `Keep: …`."""
    return f"{decision.action.capitalize()}: {decision.reason}."
