"""RawFaces over pictures that a test has in hand."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA, RawFaces
from vultus.faces.picture import encode_jpeg
from vultus.storage import FolderStore


def raw_of(
    folder: Path,
    store: FolderStore,
    pictures: list[np.ndarray],
    *,
    subjects: tuple[str, ...] = (),
    splits: tuple[str, ...] = (),
    qualities: tuple[int, ...] = (),
) -> Path:
    rows = []
    for index, image in enumerate(pictures):
        data = encode_jpeg(image, qualities[index] if qualities else 95)
        rows.append(
            {
                "image_sha256": store.put(data),
                "subject": subjects[index] if subjects else f"s{index}",
                "split": splits[index] if splits else "train",
                "presentation": "bona_fide",
                "species": None,
                "simulated": False,
                "simulation": None,
                "source": "test",
                "licence": "CC0-1.0",
                "width": image.shape[1],
                "height": image.shape[0],
                "bytes": len(data),
                "captured_at": None,
                "attributes": [("glasses", "no")],
            }
        )
    RawFaces.write(
        folder,
        faces=pa.Table.from_pylist(rows, FACE_SCHEMA),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
        made_by="test",
        facts={},
    )
    return folder
