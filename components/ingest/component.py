"""The KFP task `ingest`."""

from kfp import dsl
from kfp.dsl import Output

from components.artifacts import RawFaces


@dsl.component(base_image="vultus/ingest:dev", install_kfp_package=False)
def ingest(raw: Output[RawFaces], source: str, seed: int, params: dict) -> None:
    """Take every picture of `source` into the store, split, simulate attacks, quarantine."""
    from pathlib import Path

    from components.door import open_door
    from components.ingest import IngestParams, ingest_faces

    door = open_door()
    report = ingest_faces(
        Path(raw.path),
        IngestParams(source=source, seed=seed, **params),
        store=door.store,
        pseudonym_key=door.pseudonym_key(),
        weights=door.home.weights,
        journals=door.kept(door.home.ingest),
        s3=door.s3(),
        processes=door.processes,
    )
    raw.metadata.update(report.summary())
