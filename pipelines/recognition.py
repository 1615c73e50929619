"""The embedder: ingest -> crop -> validate -> train -> evaluate -> export -> register -> promote."""

from kfp import dsl

from pipelines.steps import Outputs, chain
from vultus.contracts.words import Task

DEFAULT_SOURCE = "synthetic:people=60,images=6"


@dsl.pipeline(name="vultus-recognition", description="Train, judge and promote a face embedder.")
def recognition(
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
    """One run of the recognition task; `{}` = the defaults of a step."""
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
    return chain(Task.RECOGNITION, source, seed, params)
