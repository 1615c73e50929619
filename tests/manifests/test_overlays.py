"""Every overlay builds, is what the cluster's own schemas want, and agrees with the servers."""

import copy
import os
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from pipelines.images import read_bake
from support import kubernetes
from support.kubernetes import faults, pod_specs
from vultus.settings import Settings

pytestmark = pytest.mark.slow
_CRDS = {"InferenceService", "PodMonitor", "PrometheusRule"}
_KUBERNETES = "1.32"
Documents = tuple[dict[str, Any], ...]


def _services(documents: Documents) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == "InferenceService"]


def _variables(container: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row.get("value", "") for row in container.get("env", ())}


def test_core_kinds_pass_the_strict_schemas(documents: Documents) -> None:
    core = [document for document in documents if document["kind"] not in _CRDS]
    assert len(core) >= 6
    for document in core:
        kubernetes_validate.validate(document, _KUBERNETES, strict=True)


def test_the_inference_service_is_what_kserve_takes(documents: Documents) -> None:
    (service,) = _services(documents)
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert faults(service, "V1beta1InferenceService", "isvc") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update(minReplica=1), "minReplica"),
        (lambda p: p.update(maxReplicas="4"), "maxReplicas"),
        (lambda p: p["containers"][0].update(readinesProbe={}), "readinesProbe"),
        (lambda p: p["containers"][0]["ports"][0].pop("containerPort"), "container_port"),
        (lambda p: p["volumes"][0].update(emptyDir=[]), "emptyDir"),
    ],
)
def test_the_check_finds_wrong_fields(change: Any, said: str) -> None:
    try:
        (service,) = _services(kubernetes.overlay("local"))
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))
    broken = copy.deepcopy(service)
    change(broken["spec"]["predictor"])
    assert said in "\n".join(faults(broken, "V1beta1InferenceService", "isvc"))


def test_images_are_those_of_the_bake_file_with_a_tag(documents: Documents) -> None:
    known = set(read_bake()[0])
    images = [c["image"] for pod in pod_specs(documents) for c in pod["containers"]]
    assert images
    for image in images:
        found = re.fullmatch(r"(?:[\w.]+/)*vultus/([\w-]+):([\w.-]+)", image)
        assert found, image
        assert found[1] in known
        assert found[2] != "latest"


def test_pods_are_read_only_without_rights_and_as_nobody(documents: Documents) -> None:
    for pod in pod_specs(documents):
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        accounts = {d["metadata"]["name"] for d in documents if d["kind"] == "ServiceAccount"}
        assert pod["serviceAccountName"] in accounts
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_no_secret_value_is_written_down(documents: Documents) -> None:
    assert not [document for document in documents if document["kind"] == "Secret"]
    secret = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|SIGNING|GALLERY|PSEUDONYM")
    for pod in pod_specs(documents):
        for container in pod["containers"]:
            rows = [row for row in container["env"] if secret.search(row["name"])]
            assert rows
            assert all("secretKeyRef" in row.get("valueFrom", {}) for row in rows)
    for document in documents:
        if document["kind"] == "ConfigMap":
            assert not [name for name in document["data"] if secret.search(name)]


def test_the_settings_are_settings_that_the_code_reads(documents: Documents) -> None:
    configured = [d["data"] for d in documents if d["metadata"]["name"] == "vultus-settings"]
    rows = {name for data in configured for name in data}
    for pod in pod_specs(documents):
        rows |= {name for c in pod["containers"] for name in _variables(c)}
    for name in rows:
        model: Any = Settings
        for part in name.removeprefix("VULTUS_").lower().split("__"):
            assert part in model.model_fields, f"{name}: Settings has no {part}"
            model = model.model_fields[part].annotation


def test_probes_and_ports_are_the_servers(documents: Documents) -> None:
    for pod in pod_specs(tuple(_services(documents))):
        for container in pod["containers"]:
            if container["name"] != "kserve-container":
                continue
            (port,) = {row["containerPort"] for row in container["ports"]}
            assert _variables(container)["VULTUS_SERVING__PORT"] == str(port)
            for probe in ("startupProbe", "readinessProbe"):
                assert container[probe]["httpGet"] == {"path": "/v2/health/ready", "port": port}
            assert container["livenessProbe"]["httpGet"] == {
                "path": "/v2/health/live",
                "port": port,
            }
            policies = [d for d in documents if d["metadata"]["name"] == "vultus-serving"]
            policy = next(d for d in policies if d["kind"] == "NetworkPolicy")
            assert policy["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port}]


@pytest.mark.parametrize("name", ["staging", "production", "edge"])
def test_a_released_server_is_pinned_to_versions(name: str) -> None:
    try:
        pods = list(pod_specs(tuple(_services(kubernetes.overlay(name)))))
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))
    for pod in pods:
        variables = _variables(pod["containers"][0])
        assert re.fullmatch(
            r"models:/vultus-recognition/\d+", variables["VULTUS_SERVING__RECOGNITION"]
        )
        assert re.fullmatch(r"models:/vultus-pad/\d+", variables["VULTUS_SERVING__PAD"])


def test_the_canary_differs_in_nothing_but_its_models() -> None:
    try:
        (service,) = _services(kubernetes.overlay("staging"))
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))
    stable = copy.deepcopy(service["spec"]["predictor"])
    (row,) = service["spec"]["canary"]
    canary = copy.deepcopy(row["predictor"])
    assert row["trafficPercent"] == 10
    models = {"VULTUS_SERVING__RECOGNITION", "VULTUS_SERVING__PAD"}
    before, after = (_variables(pod["containers"][0]) for pod in (stable, canary))
    assert {name for name in before if before[name] != after[name]} == models
    for pod in (stable, canary):
        pod["containers"][0]["env"] = []
    assert canary.pop("name") == "canary"
    canary.pop("affinity")
    assert canary == stable


@pytest.mark.parametrize("feature", kubernetes.FEATURES)
def test_a_feature_can_be_added_to_the_serving_base(feature: str, tmp_path: Path) -> None:
    root = kubernetes.MANIFESTS

    def relative(path: Path) -> str:
        return os.path.relpath(path, tmp_path)

    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: vultus\n"
        f"resources: ['{relative(root / 'base' / 'serving')}']\n"
        f"components: ['{relative(root / 'features' / feature)}']\n"
    )
    try:
        documents = kubernetes.kustomize(tmp_path)
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))
    (service,) = _services(documents)
    assert faults(service, "V1beta1InferenceService", "isvc") == []
    plain = kubernetes.kustomize(root / "base" / "serving")
    assert service != _services(plain)[0]
