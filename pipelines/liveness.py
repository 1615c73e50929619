"""The PAD panel: ingest -> crop -> validate -> train -> evaluate -> export -> register -> promote."""

from kfp import dsl

from pipelines.steps import Outputs, chain
from vultus.contracts.words import Task

DEFAULT_SOURCE = "synthetic:people=60,images=6"


@dsl.pipeline(name="vultus-liveness", description="Train, judge and promote a PAD panel.")
def liveness(
    source: str = DEFAULT_SOURCE,
    seed: int = 0,
    ingest: dict = {},
    crop: dict = {},
    validate: dict = {},
    train: dict = {},
    evaluate: dict = {},
    export: dict = {},
    register: dict = {},
    promote: dict = {},
) -> Outputs:
    """One run of the liveness task; `{}` = the defaults of a step."""
    params = {
        "ingest": ingest,
        "crop": crop,
        "validate": validate,
        "train": train,
        "evaluate": evaluate,
        "export": export,
        "register": register,
        "promote": promote,
    }
    return chain(Task.LIVENESS, source, seed, params)
