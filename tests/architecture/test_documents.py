"""What the documents promise is what the code has."""

import ast
import importlib
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import vultus.errors
from support.tree import CHECKOUT, VERBS, files, modules, tree_of

COMMAND = re.compile(r"`(?:PYTHONPATH=\S+ )?vultus ([a-z]+)")


@pytest.mark.parametrize("verb", VERBS)
def test_a_readme_names_every_param_and_no_other(verb: str) -> None:
    package = importlib.import_module(f"components.{verb}")
    model = getattr(package, next(name for name in package.__all__ if name.endswith("Params")))
    params, inputs = _documented(CHECKOUT / "components" / verb / "README.md")
    fields = set(model.model_fields)
    assert params - fields == set(), "named in the README, unknown to the model"
    assert fields - params - inputs == set(), "unknown to the README"


@pytest.mark.parametrize("verb", VERBS)
def test_a_readme_names_inputs_outputs_and_failures(verb: str) -> None:
    function = next(
        node
        for node in tree_of(Path("components", verb, "component.py")).body
        if isinstance(node, ast.FunctionDef)
    )
    text = (CHECKOUT / "components" / verb / "README.md").read_text()
    own = [arg.arg for arg in function.args.args if arg.arg not in ("params", "metrics", "report")]
    assert [name for name in own if name not in text] == []
    assert "How it fails" in text


@pytest.mark.parametrize("verb", VERBS)
def test_a_dockerfile_is_short_and_its_user_is_nobody(verb: str) -> None:
    lines = (CHECKOUT / "components" / verb / "Dockerfile").read_text().splitlines()
    assert len(lines) <= 10
    code = [line for line in lines if line and not line.startswith("#")]
    assert code[0].startswith("ARG BASE=vultus/")
    assert not code[0].endswith(":latest")
    assert code[1] == "FROM ${BASE}"
    assert [line for line in code if line.startswith("USER")][-1:] == ["USER 10001"]


def test_public_names_say_what_they_are() -> None:
    silent = []
    for file in modules():
        tree = tree_of(file)
        if ast.get_docstring(tree) is None:
            silent.append(f"{file}: the module")
        silent += [f"{file}: {name}" for name in _silent(tree, "")]
    assert silent == []


def test_every_error_of_the_tree_is_raised_and_drawn() -> None:
    text = "\n".join((CHECKOUT / file).read_text() for file in modules())
    kinds = {
        name: kind
        for name, kind in vars(vultus.errors).items()
        if isinstance(kind, type) and issubclass(kind, vultus.errors.VultusError)
    }
    leaves = {name for name, kind in kinds.items() if not kind.__subclasses__()}
    raised = set(re.findall(r"(?:raise|return|error=|errors?\()\s*(\w+)\(", text))
    assert leaves - raised == set(), "never raised"
    assert [name for name in kinds if name not in (vultus.errors.__doc__ or "")] == []


def test_every_command_that_a_text_names_exists() -> None:
    known = _commands()
    unknown = {}
    for file in files():
        if file.suffix in (".py", ".md") and file.parts[0] not in ("tests", "docs"):
            named = set(COMMAND.findall((CHECKOUT / file).read_text()))
            if named - known:
                unknown[str(file)] = sorted(named - known)
    assert unknown == {}


def test_every_local_link_of_a_document_leads_somewhere() -> None:
    dead = []
    for file in files():
        if file.suffix != ".md":
            continue
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", (CHECKOUT / file).read_text())
        dead += [
            f"{file}: {target}"
            for target in targets
            if "://" not in target and not (CHECKOUT / file.parent / target).exists()
        ]
    assert dead == []


def test_every_extra_is_pinned() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    pinned = {
        line.split("==")[0].lower().replace("_", "-").replace(".", "-")
        for line in (CHECKOUT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - pinned - {"vultus"} == set()


def _documented(readme: Path) -> tuple[set[str], set[str]]:
    """(names in param rows, names in input rows); a table under `## Params` is all param rows."""
    params: set[str] = set()
    inputs: set[str] = set()
    section = ""
    for line in readme.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:].strip().lower()
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if len(cells) < 2:
            continue
        if cells[0] == "param":
            params |= set(re.findall(r"\w+", cells[1]))
        elif cells[0] == "in":
            inputs |= set(re.findall(r"\w+", cells[1]))
        elif section == "params" and cells[0] != "name":
            params |= set(re.findall(r"\w+", cells[0]))
    return params, inputs


def _silent(node: ast.AST, prefix: str) -> list[str]:
    found = []
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if child.name.startswith("_"):
            continue
        if ast.get_docstring(child) is None and not _declared_elsewhere(child):
            found.append(prefix + child.name)
        if isinstance(child, ast.ClassDef):
            found += _silent(child, f"{prefix}{child.name}.")
    return found


def _declared_elsewhere(node: ast.AST) -> bool:
    """An overload, a property's setter or an override says nothing of its own."""
    marks = [ast.unparse(mark) for mark in getattr(node, "decorator_list", [])]
    return any(mark.endswith((".setter", "overload", "override")) for mark in marks)


@cache
def _commands() -> set[str]:
    import typer

    from pipelines.cli import app

    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
