"""The images that the bake file names, as they are in the daemon."""

import json
import subprocess

import pytest

from pipelines.docker import DockerUnavailable, require_images
from pipelines.images import read_bake
from support.docker import run_hardened
from vultus.errors import BadParameter

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]
_STEPS = ("ingest", "crop", "validate", "register", "promote")


def _inspect(tag: str) -> dict:
    said = subprocess.run(["docker", "image", "inspect", tag], check=True, capture_output=True)
    return json.loads(said.stdout)[0]


def test_every_light_image_is_built_and_runs_as_nobody(light: list[str]) -> None:
    names = {tag.partition(":")[0].removeprefix("vultus/") for tag in light}
    assert names >= {*_STEPS, "serving", "monitoring"}
    for tag in light:
        config = _inspect(tag)["Config"]
        assert config["User"] == "10001", tag
        assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
        assert config["Labels"]["org.opencontainers.image.revision"] not in ("", "unknown")
        assert not config.get("Entrypoint"), f"{tag}: kfp's command would become its argument"


def test_the_light_steps_share_one_layer_of_packages(light: list[str]) -> None:
    layers = [tuple(_inspect(f"vultus/{verb}:dev")["RootFS"]["Layers"]) for verb in _STEPS]
    assert len(set(layers)) == 1


def test_an_image_carries_no_trace_of_the_machine_that_built_it(light: list[str]) -> None:
    for name in ("vision", "base-serving", "base-monitoring"):
        tag = next(tag for tag in light if tag.startswith(f"vultus/{name}:"))
        script = "cat /etc/pip.conf /run/build-ca.crt; find /wheels /src -type f; env | grep ^PIP_"
        said = run_hardened(tag, ["sh", "-c", script]).stdout.split()
        assert said == ["PIP_DISABLE_PIP_VERSION_CHECK=1"]


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("ingest", "components.ingest.component, components.ingest"),
        ("crop", "components.crop.component, components.crop"),
        ("validate", "components.validate.component, great_expectations"),
        ("register", "components.register.component, vultus.registry, vultus.signing"),
        ("promote", "components.promote.component, components.promote"),
        ("serving", "kserve, vultus.inference, vultus.registry"),
        ("monitoring", "evidently, mlflow, vultus.storage"),
    ],
)
def test_an_image_holds_what_it_runs_and_no_torch(
    light: list[str], name: str, modules: str
) -> None:
    code = (
        f"import importlib.util as u\nimport {modules}\n"
        "assert not u.find_spec('torch'), 'torch'\n"
        "import cv2, numpy, vultus.settings; print(vultus.settings.Settings().git_commit)"
    )
    ended = run_hardened(f"vultus/{name}:dev", ["python3", "-W", "ignore", "-c", code])
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.split()[-1] not in ("", "unknown")


def test_a_hardened_container_cannot_write_and_has_no_rights(light: list[str]) -> None:
    script = "id -u; touch /var/lib/vultus/x /opt/vultus/x; grep CapEff /proc/self/status"
    ended = run_hardened("vultus/crop:dev", ["sh", "-c", script])
    assert ended.stdout.split() == ["10001", "CapEff:", "0000000000000000"]
    assert ended.stderr.count("Read-only file system") == 2


def test_a_missing_image_is_named_with_the_command_that_builds_it(docker_daemon: None) -> None:
    with pytest.raises(DockerUnavailable, match="vultus images nosuch") as caught:
        require_images(["nosuch"])
    assert "vultus/nosuch:src-" in str(caught.value)


def test_a_daemon_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(DockerUnavailable, match="nonexistent"):
        require_images(["crop"])


def test_a_build_refuses_a_name_that_the_bake_file_lacks(light: list[str]) -> None:
    from pipelines.images import Supply, build

    with pytest.raises(BadParameter, match="nosuch"):
        build(["nosuch"], Supply())
    assert "serving" in read_bake()[0]
