"""The checkout as files and syntax trees, for tests that read code instead of running it."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("vultus", "components", "pipelines", "serving", "monitoring")
VERBS = ("ingest", "crop", "validate", "train", "evaluate", "export", "register", "promote")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository, relative; what git ignores is not part of it."""
    command = ["git", "-C", str(CHECKOUT), "ls-files", "-co", "--exclude-standard"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(Path(line) for line in said.splitlines() if (CHECKOUT / line).is_file())


@cache
def modules() -> tuple[Path, ...]:
    """The product's own Python files, relative."""
    return tuple(f for f in files() if f.suffix == ".py" and f.parts[0] in PACKAGES)


@cache
def tree_of(file: Path) -> ast.Module:
    """Syntax tree of one file of the repository."""
    return ast.parse((CHECKOUT / file).read_text(), str(file))


def name_of(file: Path) -> str:
    """`vultus/faces/boxes.py` -> `vultus.faces.boxes`."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> Iterator[str]:
    """Every absolute module that the file imports when it runs, also inside functions."""
    for node in _running(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _running(child)
