"""Where things lie, what they are called and how long they may be (docs/LAYOUT.md, docs/STYLE.md)."""

import ast
import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from support.tree import CHECKOUT, PACKAGES, VERBS, files, modules, tree_of

ASKED_FOR = {"pipelines", "components", "serving", "monitoring", "infra", "manifests", "tests"}
FOLDERS = ASKED_FOR | {"vultus", "benchmarks", "docs", ".github", ".ci"}
FORBIDDEN = {"utils", "common", "helpers", "core", "misc", "notebooks"}
MODULE_LINES, FUNCTION_LINES, WRAPPER_STATEMENTS = 300, 40, 10


def test_the_folders_that_were_asked_for_are_there_and_no_others() -> None:
    found = {file.parts[0] for file in files() if len(file.parts) > 1}
    assert found - FOLDERS == set()
    assert ASKED_FOR - found == set()


def test_no_place_for_everything() -> None:
    names = {part for file in files() for part in (*file.parts[:-1], file.stem)}
    assert {name.lower() for name in names} & FORBIDDEN == set()


def test_no_module_called_utils_in_disguise() -> None:
    ends = ("_utils", "_util", "_helper", "_helpers", "_manager", "_common")
    assert [str(file) for file in modules() if file.stem.endswith(ends)] == []


def test_tests_are_no_package() -> None:
    assert [str(f) for f in files() if f.parts[0] == "tests" and f.name == "__init__.py"] == []


def test_modules_and_functions_are_short() -> None:
    long = []
    for file in files():
        if file.suffix != ".py":
            continue
        lines = len((CHECKOUT / file).read_text().splitlines())
        if lines > MODULE_LINES:
            long.append(f"{file}: {lines} lines")
        if file.parts[0] not in PACKAGES:
            continue
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = [n for n in node.body if not _is_docstring(n)]
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if length > FUNCTION_LINES:
                    long.append(f"{file}: {node.name} has {length} lines")
    assert long == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_step_has_everything_the_recipe_names(verb: str) -> None:
    expected = {"__init__.py", "step.py", "component.py", "Dockerfile", "README.md"}
    found = {file.name for file in files() if file.parts[:2] == ("components", verb)}
    assert expected - found == set()


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrapper_is_thin(verb: str) -> None:
    tree = tree_of(Path("components", verb, "component.py"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [function.name for function in functions] == [verb]
    inside = [
        node
        for node in ast.walk(functions[0])
        if isinstance(node, ast.stmt) and node is not functions[0] and not _is_docstring(node)
    ]
    assert len(inside) <= WRAPPER_STATEMENTS
    # Without the package in the image at run time KFP would install itself from an index.
    assert "install_kfp_package=False" in ast.unparse(functions[0].decorator_list[0])


@pytest.mark.parametrize("verb", VERBS)
def test_a_step_knows_no_kfp_and_its_package_offers_function_and_params(verb: str) -> None:
    offered = importlib.import_module(f"components.{verb}").__all__
    assert sum(name.endswith("Params") for name in offered) == 1
    assert any(name.islower() for name in offered)


@pytest.mark.parametrize("name", PACKAGES)
def test_our_names_are_ours_alone(name: str) -> None:
    assert set(packages_distributions().get(name, ())) <= {"vultus"}
    assert Path(importlib.import_module(name).__file__ or "").is_relative_to(CHECKOUT)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
