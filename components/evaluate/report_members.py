"""Blocks of the PAD report about the members of the panel."""

from collections.abc import Iterator

from components.evaluate.liveness import LivenessResult
from components.evaluate.params import EvaluateParams
from components.evaluate.wording import slice_table
from vultus.reports import Block, Heading, Table, Text


def member_blocks(result: LivenessResult, params: EvaluateParams) -> Iterator[Block]:
    """Room, evidence and threshold of each; what it was trained on; its figures alone."""
    rows: list[tuple[str, ...]] = []
    for place, member in enumerate(result.transform.members):
        upper = "∞" if member.room_max > 1e6 else f"{member.room_max:g}"
        basis = result.chosen.get(member.name)
        how = (
            f"set here, BPCER ≤ {100 * params.max_bpcer:g} % on {basis}"
            if basis
            else "as published"
        )
        rows.append(
            (
                member.name,
                f"{member.room_min:g} – {upper}",
                f"{int((result.test.speaker == place).sum()):,}",
                member.evidence.value,
                f"{result.thresholds[member.name]:.3f}",
                how,
            )
        )
    yield Heading("Who decides where")
    yield Text(
        "Room is how far the face's box can grow inside the picture. One member decides each "
        "picture; nothing is averaged. Evidence says whether the attacks it was trained on were "
        "photographed or simulated.",
        quiet=True,
    )
    yield Table(
        ("member", "room", "test pictures", "evidence", "threshold", "how it was set"),
        tuple(rows),
        numeric=(2, 4),
    )
    yield Table(
        ("member", "what it was trained on", "licence"),
        tuple((m.name, m.training_data, m.licence) for m in result.transform.members),
    )
    columns = (("pad_auc", "AUC"), ("apcer", "APCER (worst)"), ("bpcer", "BPCER"))
    of_members = [figure for figure in result.slices if figure.slice.startswith("member=")]
    yield slice_table(of_members, columns, params.min_slice, "member")
