"""What a trained network is made of: its architecture, whose weights are in it, under which licences."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.models import Checkpoint
from vultus.contracts.words import Task
from vultus.networks.load import LITE0_FROZEN, TRUNKS, adapted
from vultus.weights import entry

LICENCE = "Apache-2.0"
"""Of what is trained here."""


class Provenance(BaseModel):
    """Facts of an export, in words."""

    model_config = ConfigDict(frozen=True)

    architecture: str = Field(description="name of architecture.json, and its options")
    licence: str = Field(description="of the weights, part by part")
    training_data: str


def provenance_of(checkpoint: Checkpoint) -> Provenance:
    """Read from the checkpoint's architecture and from the facts of its training.

    Raises: BadParameter, where it began with weights that neither it nor our table describes.
    """
    params: Mapping[str, Any] = checkpoint.manifest.facts.get("params", {})
    begun = list(_begun(checkpoint, params))
    trained = bool(params.get("epochs", 1))
    here = "the train split of its run"
    if checkpoint.task is Task.LIVENESS:
        here += "; attack presentations simulated"
    if params.get("teacher"):
        here += f"; taught by {params['teacher']}"
    licences = [f"{name}: {licence}" for name, licence, _ in begun]
    data = [f"{name}: {data}" for name, _, data in begun]
    return Provenance(
        architecture=_said(checkpoint),
        licence="; ".join([*licences, *([f"trained here: {LICENCE}"] if trained else [])]),
        training_data="; ".join([*data, *([f"then {here}" if begun else here] if trained else [])]),
    )


def _begun(checkpoint: Checkpoint, params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, licence and training data of every file whose numbers are in this network."""
    name = checkpoint.architecture.name
    rows = [trunk for trunk in TRUNKS if name == adapted(trunk)]
    if name == LITE0_FROZEN:
        rows.append("lite0")
    said: Mapping[str, Mapping[str, str]] = checkpoint.manifest.facts.get("begun_with", {})
    for row, facts in said.items():
        yield row, facts["licence"], facts["training_data"]
    if params.get("weights") and params["weights"] not in said:
        rows.append(str(params["weights"]))
    for row in rows:
        found = entry(row)
        yield row, found.licence, found.training_data


def _said(checkpoint: Checkpoint) -> str:
    """edge (dimension 128, side 112)."""
    made = checkpoint.architecture
    options = ", ".join(f"{name} {value}" for name, value in made.options.items())
    return f"{made.name} ({options})" if options else made.name
