"""A workshop for PAD panels of one member: trained, evaluated, registered and judged by the product."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.evaluate import evaluate_model
from components.train import TrainParams, train_model
from support.candidates import EVALUATION, Workshop
from support.pretrained import weights_folder
from vultus.contracts.artifact import sha256_of
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import LivenessTransform, PanelMember
from vultus.networks.load import write_checkpoint

MEMBER, FILE = "drawn", "drawn.onnx"


@dataclass(frozen=True)
class Panel:
    """One PAD network on its way to the gate."""

    onnx: bytes
    member: PanelMember

    def other(self, network: bytes) -> "Panel":
        """The same preparation, another network."""
        return replace(self, onnx=network)

    def prepared(self, **changes: Any) -> "Panel":
        """The same network, another row of the panel."""
        return replace(self, member=self.member.model_copy(update=changes))


class PanelShop(Workshop[Panel]):
    """Panels instead of recognisers."""

    def trained(self, name: str, crops: Path | None = None, seed: int = 0) -> Panel:
        """A head on the frozen trunk, trained for two epochs by the product's own step."""
        place = self.root / name
        train_model(
            crops or self.crops,
            place / "checkpoint",
            TrainParams.model_validate(
                {"task": "liveness", "pad_member": "own", "epochs": 2, "views": 1, "seed": seed}
            ),
            store=self.store,
            tracker=None,
            resume=place / "resume",
            weights=weights_folder("lite0"),
        )
        made = Checkpoint.open(place / "checkpoint")
        write_checkpoint(made, place / FILE)
        transform = made.transform
        assert isinstance(transform, LivenessTransform)
        member = transform.members[0].model_copy(update={"name": MEMBER, "file": FILE})
        return Panel((place / FILE).read_bytes(), member)

    def relabelled(self, name: str, species: set[str], share: float = 1.0) -> Path:
        """The data with so much of the train split's attacks of these species called bona fide, and,
        where all species are meant, as much of bona fide called an attack."""

        def change(rows: pa.Table) -> pa.Table:
            table = rows.to_pandas()
            train = table[table["split"] == "train"]
            wrong = train[train["species"].isin(species)]
            good = train[train["species"].isna()] if len(species) > 1 else train.head(0)
            for part, called, kind in ((wrong, "bona_fide", None), (good, "attack", "print")):
                chosen = part.index[: round(share * len(part))]
                table.loc[chosen, "presentation"] = called
                table.loc[chosen, "species"] = kind
            return pa.Table.from_pandas(table, rows.schema, preserve_index=False)

        return self.data(name, change)

    def evaluate(self, name: str, made: Panel, crops: Path | None = None) -> Path:
        """The real evaluation; a member that is not our own is scored by its ONNX file."""
        place, data = self.root / name, crops or self.crops

        def fill(folder: Path) -> None:
            self.ship(folder, made, None)

        facts = {"crops_digest": FaceCrops.open(data).digest, "run_id": None}
        Checkpoint.create(place / "judged", fill, made_by="test", facts=facts)
        evaluate_model(place / "judged", data, place / "report", EVALUATION, store=self.store)
        return place / "report"

    def ship(self, folder: Path, made: Panel, judged: EvaluationReport | None) -> None:
        """As export leaves a panel: with digest, and the threshold that was evaluated."""
        (folder / FILE).write_bytes(made.onnx)
        changes: dict[str, Any] = {"sha256": sha256_of(folder / FILE)}
        if judged is not None and made.member.threshold is None:
            changes["threshold"] = judged.manifest.facts["member_thresholds"][MEMBER]
        transform = LivenessTransform(members=(made.member.model_copy(update=changes),))
        (folder / "transform.json").write_text(transform.model_dump_json())
