"""What every task does first: settings from the environment, logging on, the seams built."""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vultus.contracts.home import Home, load_or_create_secret
from vultus.contracts.seams import Store
from vultus.errors import BadArtifact, BadParameter
from vultus.settings import Settings
from vultus.storage import store_from
from vultus.storage.choice import s3_address
from vultus.storage.s3 import S3Address

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from vultus.contracts.models import ModelVersion


@dataclass(frozen=True)
class Door:
    """What a KFP wrapper hands to its step."""

    settings: Settings
    home: Home
    store: Store
    processes: int

    def pseudonym_key(self) -> bytes:
        """Key of the subjects' pseudonyms: from the settings, on a laptop from the home.

        Raises: BadParameter, in a cluster that was given none.
        """
        given = self.settings.keys.pseudonym
        if given is not None:
            return given.get_secret_value().encode()
        if self.settings.cluster:
            raise BadParameter("VULTUS_KEYS__PSEUDONYM is not set; mount it from its Secret")
        return load_or_create_secret(self.home.keys / "pseudonym")

    def signing_key(self) -> "Ed25519PrivateKey":
        """Signs model versions: from the settings, on a laptop from the home.

        Raises: BadParameter, in a cluster that was given none.
        """
        from vultus.signing import load_or_create_key, private_key_of

        given = self.settings.keys.signing
        if given is not None:
            return private_key_of(given.get_secret_value().encode())
        if self.settings.cluster:
            raise BadParameter("VULTUS_KEYS__SIGNING is not set; mount it from its Secret")
        return load_or_create_key(self.home.keys / "signing.pem")

    def version(self, uri: str) -> "ModelVersion":
        """A registered version, whole as it was registered.

        Args: uri: `models:/name/7`. Raises: BadParameter, if there is none; BadArtifact;
            TrackingUnavailable.
        """
        from vultus.contracts.models import ModelVersion
        from vultus.registry import registry_from

        registry = registry_from(self.settings.tracking, self.home)
        ref = registry.resolve(uri)
        if ref is None:
            raise BadParameter(f"{uri} is not registered; see `vultus models`")
        found = ModelVersion.open(registry.fetch(ref, self.home.models))
        if found.digest != ref.tags["digest"]:
            raise BadArtifact(f"{found.path} is not what was registered as {uri}; delete it")
        return found

    def kept(self, folder: Path) -> Path:
        """A state folder as it is where it can be written; else one that ends with the machine."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError as error:
            logging.getLogger(__name__).warning(
                "the state folder cannot be written: a killed task starts over",
                extra={"folder": str(folder), "error": str(error)},
            )
            return Path(tempfile.mkdtemp(prefix="vultus-"))

    def s3(self) -> S3Address:
        """Endpoint and credentials for `s3://` sources; bucket and prefix come from their URI."""
        return s3_address("s3://", self.settings.storage)


def open_door() -> Door:
    """Read the settings once and make the store. Raises: BadParameter."""
    _speak()
    settings = Settings()
    cores = os.cpu_count() or 1
    return Door(
        settings=settings,
        home=settings.paths,
        store=store_from(settings.storage, settings.paths),
        processes=settings.threads or cores,
    )


class _Facts(logging.Formatter):
    """Event and facts on one line: `vultus INFO pictures embedded: done 40, of 120`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {k: v for k, v in vars(record).items() if k not in _PLAIN and not k.startswith("_")}
        shown = ", ".join(f"{name} {value}" for name, value in facts.items())
        line = f"vultus {record.levelname} {record.getMessage()}{': ' if shown else ''}{shown}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


_PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def _speak() -> None:
    """Our packages say what they do; the others only warn. KFP has its handler on already."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    root.setLevel(logging.WARNING)
    for handler in root.handlers:
        handler.setFormatter(_Facts())
    for package in ("components", "vultus"):
        logging.getLogger(package).setLevel(logging.INFO)
