"""A heavy package has one owner, and an image imports only what it carries (docs/LAYOUT.md)."""

import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.tree import CHECKOUT, VERBS, imports_of, modules, name_of

OWNERS = {
    "torch": "vultus.networks* vultus.attacks.gradient components.train* components.evaluate* "
    "components.export*",
    "torchvision": "vultus.networks* components.train*",
    "safetensors": "vultus.networks* components.train*",
    "onnx": "vultus.weights* vultus.networks* components.export*",
    "onnxscript": "components.export*",
    "onnxruntime": "vultus.inference.session",
    "boto3": "vultus.storage*",
    "botocore": "vultus.storage*",
    "kagglehub": "components.ingest*",
    "mlflow": "vultus.registry*",
    "great_expectations": "components.validate*",
    "deepface": "vultus.baselines*",
    "evidently": "monitoring.drift",
    "cryptography": "vultus.signing* vultus.gallery*",
    "usearch": "vultus.gallery*",
    "psycopg": "vultus.gallery*",
    "matplotlib": "vultus.reports*",
    "typst": "vultus.reports*",
    "pptx": "vultus.reports*",
    "kserve": "serving*",
    "kubernetes": "components.promote.rollout",
    "kfp": "components.artifacts components.*.component pipelines* monitoring.retrain",
}
EMPTY = ("components", "serving", "vultus.networks", "vultus.attacks", "monitoring", "pipelines")
"""Packages whose parent `__init__` would drag its children into images that lack them."""


@pytest.mark.parametrize("package", OWNERS)
def test_a_heavy_package_has_one_owner(package: str) -> None:
    owners = OWNERS[package].split()
    strangers = [
        name_of(file)
        for file in modules()
        if any(name.split(".")[0] == package for name in imports_of(file))
        and not any(fnmatch(name_of(file), owner) for owner in owners)
    ]
    assert strangers == []


def test_import_linter_guards_the_same_owners() -> None:
    """Whoever reads pyproject alone must find the same contracts."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]
    guarded = {
        name
        for contract in settings["contracts"]
        if contract["type"] == "protected"
        for name in contract["protected_modules"]
    }
    used = {name.split(".")[0] for file in modules() for name in imports_of(file)}
    assert {"vultus.settings", *(set(OWNERS) & used)} - guarded == set()


def test_settings_stop_at_the_door() -> None:
    doors = "pipelines.cli* components.door components.*.component *.__main__"
    strangers = [
        name_of(file)
        for file in modules()
        if "vultus.settings" in imports_of(file)
        and not any(fnmatch(name_of(file), door) for door in doors.split())
    ]
    assert strangers == []


@pytest.mark.parametrize("package", EMPTY)
def test_parents_import_nothing(package: str) -> None:
    file = Path(*package.split("."), "__init__.py")
    assert list(imports_of(file)) == []


def test_importing_a_door_changes_nothing(tmp_path: Path) -> None:
    """No module-level client, download, mkdir or log handler: an import leaves no trace."""
    names = sorted(name_of(file) for file in modules() if file.parts[0] == "vultus")
    light = [name for name in names if not name.startswith(("vultus.networks", "vultus.attacks"))]
    code = (
        "import logging, importlib\n"
        f"for name in {light!r}: importlib.import_module(name)\n"
        "assert not logging.getLogger('vultus').handlers\n"
    )
    _run(code, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("extra", [*VERBS, "serving", "edge", "monitoring"])
def test_an_image_imports_only_what_it_carries(extra: str, tmp_path: Path) -> None:
    absent = sorted(set(OWNERS) - _carried(extra))
    assert absent, f"the image {extra} carries everything; that cannot be meant"
    wanted = _modules_of(extra)
    assert wanted, f"nothing in this checkout runs in the image {extra}"
    code = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"
        f"for name in {wanted!r}: importlib.import_module(name)\n"
    )
    _run(code, tmp_path)


def _modules_of(extra: str) -> list[str]:
    """What runs in the image: its own modules and whatever its KFP wrapper imports."""
    if extra in VERBS:
        own = [file for file in modules() if file.parts[:2] == ("components", extra)]
        return sorted({*map(name_of, own), *_ours(Path("components", extra, "component.py"))})
    names = [name_of(file) for file in modules()]
    if extra == "edge":
        return [name for name in names if name.startswith(("serving.edge", "vultus.inference"))]
    return [
        name
        for name in names
        if name.split(".")[0] == extra
        and not name.startswith("serving.edge")
        and not name.endswith("__main__")
    ]


def _ours(file: Path) -> set[str]:
    return {name for name in imports_of(file) if name.split(".")[0] in ("vultus", "components")}


def _run(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@cache
def _carried(extra: str) -> set[str]:
    """Import names of everything that pip installs for `vultus[extra]`."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    waiting = [*project["dependencies"], *project["optional-dependencies"][extra]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = Requirement(waiting.pop())
        for option in ("", *wanted.extras):
            name = canonicalize_name(wanted.name)
            if (name, option) in seen:
                continue
            seen.add((name, option))
            waiting += [
                line
                for line in _requires(name)
                if (marker := Requirement(line).marker) is None
                or marker.evaluate({"extra": option})
            ]
    installed = {name for name, _ in seen}
    return {
        module
        for module, owners in packages_distributions().items()
        if any(canonicalize_name(owner) in installed for owner in owners)
    }


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []  # wanted on another platform only
