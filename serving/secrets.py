"""The server's secrets: made on a laptop by the first who asks, handed over in a cluster."""

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from vultus.contracts.home import load_or_create_secret
from vultus.errors import BadParameter

if TYPE_CHECKING:
    from vultus.settings import Settings

_PREFIX = "vultus_"
_SHORTEST = 20


def api_key(settings: "Settings") -> str:
    """`vultus_` and 43 characters. Raises: BadParameter, in a cluster that was given none."""
    given = settings.serving.api_key
    if given is not None:
        key = given.get_secret_value().strip()
        if len(key) < _SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
            raise BadParameter(
                f"VULTUS_SERVING__API_KEY must be at least {_SHORTEST} printable ASCII characters"
            )
        return key
    _refuse_in_cluster(settings, "VULTUS_SERVING__API_KEY")
    secret = load_or_create_secret(settings.paths.keys / "api")
    return _PREFIX + urlsafe_b64encode(secret).decode().rstrip("=")


def gallery_key(settings: "Settings") -> bytes:
    """Key of the gallery. Raises: BadParameter, in a cluster that was given none."""
    given = settings.keys.gallery
    if given is not None:
        return given.get_secret_value().strip().encode()
    _refuse_in_cluster(settings, "VULTUS_KEYS__GALLERY")
    return load_or_create_secret(settings.paths.keys / "gallery")


def _refuse_in_cluster(settings: "Settings", name: str) -> None:
    if settings.cluster:
        raise BadParameter(f"{name} is not set; mount it from its Secret")
