"""A home with champions that have what monitoring reads of them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vultus.contracts.home import Home
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.signing import ChampionPointer


def champion_home(
    root: Path, features: pa.Table | None, *, version: int = 1, bpcer: float | None = None
) -> Home:
    """`root/.vultus`; with `features`, both models are promoted and carry these rows."""
    home = Home(root / ".vultus")
    for name in (RECOGNITION_MODEL, PAD_MODEL) if features is not None else ():
        folder = home.models / name / str(version)
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(features, folder / "reference_features.parquet")
        figures = []
        if bpcer is not None:
            figures = [{"name": "bpcer", "value": bpcer, "low": 0.01, "high": 0.035, "n": 800}]
        (folder / "figures.json").write_text(json.dumps(figures))
        ChampionPointer(name=name, version=version, path=folder, digest="0" * 64).write(home)
    return home
