"""The reference window: test trials as rows that a server would have logged for them.

There is no clock, tenant or device behind them: `ts` is 1970, so that nobody takes them for traffic.

Errors of acceptance are left out. Whom a server accepts is nearly always who and what it should be, but
nearly half of a test split are attacks: among 442 rows that said "bona fide", 235 were accepted attacks,
and the first real visitors looked like drift.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from components.evaluate.liveness import LivenessResult
from components.evaluate.panel_figures import accepted_by_panel
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import Row, fair_draw
from components.evaluate.presentations import PANEL
from components.evaluate.recognition import RecognitionResult
from vultus.contracts.traffic import FEATURE_SCHEMA, sketch_of
from vultus.contracts.words import WATCHED_QUALITY, MatchDecision, PadDecision, Reason

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def verify_rows(result: RecognitionResult, params: EvaluateParams) -> pa.Table:
    """Comparisons of the test split as `verify`; the second face is the probe."""
    test, threshold = result.test, np.float32(result.threshold(params.fmr))
    matched = test.scores >= threshold
    meant = np.flatnonzero(test.mated | ~matched)
    strata = list(zip(test.mated[meant].tolist(), matched[meant].tolist(), strict=True))
    rows: list[dict[str, Any]] = []
    for place in meant[fair_draw(strata, params.reference_rows, params.seed)]:
        probe = int(test.second[place])
        decision = MatchDecision.MATCH if matched[place] else MatchDecision.NON_MATCH
        rows.append(
            {
                **_row(len(rows), "verify", test.rows[probe]),
                "decision": decision.value,
                "score": test.scores[place],
                "margin": test.scores[place] - threshold,
                "sketch": sketch_of(test.embeddings[probe]).tolist(),
            }
        )
    return pa.Table.from_pylist(rows, schema=FEATURE_SCHEMA)


def liveness_rows(result: LivenessResult, params: EvaluateParams) -> pa.Table:
    """Presentations of the test split as `liveness`."""
    test = result.test
    accepted = accepted_by_panel(test, result.transform, result.thresholds)
    speaks = test.speaker >= 0
    meant = np.flatnonzero(test.bona_fide | ~accepted)
    strata = list(zip(test.species[meant].tolist(), accepted[meant].tolist(), strict=True))
    rows: list[dict[str, Any]] = []
    for place in meant[fair_draw(strata, params.reference_rows, params.seed)]:
        decision, reason = PadDecision.BONA_FIDE, ""
        if not speaks[place]:
            decision, reason = PadDecision.NOT_DECIDED, Reason.PAD_UNAVAILABLE.value
        elif not accepted[place]:
            decision, reason = PadDecision.ATTACK, Reason.ATTACK.value
        rows.append(
            {
                **_row(len(rows), "liveness", test.rows[place]),
                "decision": decision.value,
                "reason": reason or None,
                "pad_score": test.scores[PANEL][place] if speaks[place] else None,
            }
        )
    return pa.Table.from_pylist(rows, schema=FEATURE_SCHEMA)


def _row(number: int, operation: str, face: Row) -> dict[str, Any]:
    return {
        "ts": _NO_TIME,
        "request_id": f"reference-{number:06d}",
        "operation": operation,
        "tenant": "evaluation",
        "faces": 1,
        **{f"quality_{name}": face[f"quality_{name}"] for name in WATCHED_QUALITY},
    }
