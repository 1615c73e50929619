"""A home in which a small `vultus run` has been: real models, promoted, served once."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.pretrained import weights_folder

SOURCE = "synthetic:people=24,images=5"
SMALL = (
    "source=" + SOURCE,
    "train.epochs=3",
    "evaluate.condition_faces=2",
    "evaluate.condition_strengths=2",
)
_TIMEOUT_S = 900


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class PromotedHome:
    """root: VULTUS_HOME; screen: what the first run printed."""

    root: Path
    screen: str = ""

    def vultus(self, *arguments: str, **environment: str) -> Said:
        """Run the command in a process of its own, as a person would."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("vultus")), *arguments],
            cwd=self.root.parent,
            env=os.environ
            | {"VULTUS_HOME": str(self.root), "PYTHONPATH": str(Path(__file__).parents[2])}
            | {"COLUMNS": "160"}
            | environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def champions(self) -> dict[str, str]:
        """Task -> the version that `vultus models` calls champion."""
        rows = json.loads(self.vultus("models", "--json").out)
        short = {"vultus-recognition": "recognition", "vultus-pad": "pad"}
        return {
            short[row["model"]]: f"{row['model']}/{row['version']}"
            for row in rows
            if "champion" in row["aliases"]
        }

    def run(self, *changes: str) -> Said:
        """`vultus run` on the small source, with more `--set` changes."""
        return self.vultus("run", *(part for c in (*SMALL, *changes) for part in ("--set", c)))


def first_run(folder: Path) -> PromotedHome:
    """Run everything once below `folder`; the pretrained files are those of the checkout."""
    root = folder / ".vultus"
    root.mkdir()
    (root / "weights").symlink_to(weights_folder("anny", "sface", "npm-liveness"))
    said = PromotedHome(root).run()
    assert said.code == 0, said.out + said.err
    return PromotedHome(root, said.out)
