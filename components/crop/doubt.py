"""Near duplicates across splits or subjects, found once all hashes are known."""

import numpy as np
import pyarrow as pa

from components.crop.cutting import CropParams
from vultus.contracts.faces import QUARANTINE_SCHEMA
from vultus.dataset.straddle import ACROSS_SPLITS, REASONS, TWO_IDENTITIES, doubtful


def refuse_doubtful(crops: pa.Table, params: CropParams) -> tuple[pa.Table, pa.Table]:
    """(rows that stay, QUARANTINE_SCHEMA rows of the others).

    Args:
        crops: rows of CROP_SCHEMA, or at least NEAR_COLUMNS and `image_sha256`.
    """
    found = doubtful(
        crops,
        near_bits=params.near_duplicate_bits,
        identity_bits=params.same_picture_bits,
    )
    details = {
        ACROSS_SPLITS: f"within {params.near_duplicate_bits} bits of a picture in another split",
        TWO_IDENTITIES: f"within {params.same_picture_bits} bits of a picture of another subject",
    }
    reasons = [REASONS[code] for code in found[found != 0].tolist()]
    refused = {
        "origin": crops["image_sha256"].filter(pa.array(found != 0)),
        "reason": reasons,
        "detail": [details[reason] for reason in reasons],
    }
    kept = crops.filter(pa.array(np.equal(found, 0)))
    return kept, pa.table(refused, QUARANTINE_SCHEMA)
