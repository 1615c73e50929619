"""Which code made a result: one hash over everything that steps are built of."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

_FOLDERS = ("vultus", "components")


@cache
def source_tag(root: Path) -> str:
    """`src-<12 hex>` over vultus/, components/ and the pinned versions below `root`.

    It names the image of every task, so that the step cache sees a change of any of them.
    """
    digest = hashlib.sha256()
    files = [file for folder in _FOLDERS for file in sorted((root / folder).rglob("*"))]
    for file in [*files, root / "constraints.txt"]:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(file.relative_to(root).as_posix().encode())
            digest.update(file.read_bytes())
    return f"src-{digest.hexdigest()[:12]}"


def git_commit(root: Path) -> str:
    """The checkout's commit, `-dirty` where files differ; `unknown` outside a checkout."""
    try:
        said = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return said.stdout.strip()
