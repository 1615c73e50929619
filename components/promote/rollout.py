"""Writes a promoted version into a KServe InferenceService; KServe's own rollout does the rest.

The server is told a version number (`models:/vultus-pad/7`), never an alias: what runs in a cluster
changes when this step says so, and the object's history says when that was.
"""

from typing import TYPE_CHECKING, Any

from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.errors import RolloutFailed

if TYPE_CHECKING:
    from vultus.settings import RolloutSettings

_GROUP, _VERSION, _PLURAL = "serving.kserve.io", "v1beta1", "inferenceservices"
_VARIABLES = {
    RECOGNITION_MODEL: "VULTUS_SERVING__RECOGNITION",
    PAD_MODEL: "VULTUS_SERVING__PAD",
}


def roll_out(name: str, version: int, settings: "RolloutSettings") -> bool:
    """Point the InferenceService at this version; the same version again changes nothing.

    Args: name, version: the promoted one; settings: which service, where.
    Returns: whether something was changed; False on a laptop, where no service is named.
    Raises: RolloutFailed; the version is champion already, the step can be run again alone.
    """
    if settings.service is None:
        return False
    place = (_GROUP, _VERSION, settings.namespace, _PLURAL, settings.service)
    wanted = {"name": _VARIABLES[name], "value": f"models:/{name}/{version}"}
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        api = _api(settings)
        service = api.get_namespaced_custom_object(*place)
        containers = service["spec"]["predictor"]["containers"]
        if wanted in containers[0].get("env", []):
            return False
        others = [e for e in containers[0].get("env", []) if e["name"] != wanted["name"]]
        # A merge patch replaces lists whole, so the whole list of containers goes back.
        changed = [{**containers[0], "env": [*others, wanted]}, *containers[1:]]
        api.patch_namespaced_custom_object(*place, {"spec": {"predictor": {"containers": changed}}})
    except (ApiException, HTTPError, OSError, KeyError, IndexError) as error:
        why = str(error).replace("\n", " ").strip()
        raise RolloutFailed(
            f"{name}/{version} is champion, but InferenceService {settings.namespace}/"
            f"{settings.service} was not changed: {why}; mend it and run promote again"
        ) from error
    return True


def _api(settings: "RolloutSettings") -> Any:
    """Client of the cluster this pod runs in, of the kubeconfig, or of a given address."""
    from kubernetes import client, config

    if settings.api is not None:
        return client.CustomObjectsApi(client.ApiClient(client.Configuration(host=settings.api)))
    try:
        config.load_incluster_config()
    except config.ConfigException:
        try:
            config.load_kube_config()
        except config.ConfigException as error:
            raise RolloutFailed(
                f"no cluster to roll {settings.service} out in: {error}; unset "
                "VULTUS_ROLLOUT__SERVICE, or give this process a service account or a kubeconfig"
            ) from error
    return client.CustomObjectsApi()
