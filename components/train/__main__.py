"""Train on many processes or machines: `torchrun … -m components.train CROPS CHECKPOINT`.

The same training as the KFP task's, without kfp: what a Kubeflow TrainJob starts on every node.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.door import open_door
from components.train import TrainParams, train_model
from components.train.world import world_of
from vultus.errors import BadParameter, VultusError
from vultus.registry import tracker_from


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused or failed with a reason. Process 0 prints the report as JSON."""
    options = argparse.ArgumentParser(prog="components.train", description=__doc__)
    options.add_argument("crops", type=Path, help="folder of the FaceCrops")
    options.add_argument("checkpoint", type=Path, help="where the Checkpoint goes")
    options.add_argument("--params", type=Path, help="YAML with the step's params")
    options.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = options.parse_args(arguments)
    try:
        world, door = world_of(os.environ), open_door()
        report = train_model(
            given.crops,
            given.checkpoint,
            _params(given.params, given.set),
            store=door.store,
            tracker=tracker_from(door.settings.tracking, door.home),
            resume=door.home.resume,
            weights=door.home.weights,
            threads=door.settings.threads,
            device=door.settings.device,
            world=world,
            commit=door.settings.git_commit,
        )
    except VultusError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if world.first:
        sys.stdout.write(report.model_dump_json() + "\n")
    return 0


def _params(file: Path | None, changes: list[str]) -> TrainParams:
    """Raises: BadParameter."""
    try:
        said: dict[str, Any] = (yaml.safe_load(file.read_text()) if file else None) or {}
        for change in changes:
            name, _, value = change.partition("=")
            said[name] = yaml.safe_load(value)
        return TrainParams.model_validate(said)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise BadParameter(f"the params of train: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
