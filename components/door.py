"""What every task does first: settings from the environment, logging on, the seams built."""

import logging
import os
from dataclasses import dataclass

from vultus.contracts.home import Home, load_or_create_secret
from vultus.contracts.seams import Store
from vultus.errors import BadParameter
from vultus.settings import Settings
from vultus.storage import store_from
from vultus.storage.choice import s3_address
from vultus.storage.s3 import S3Address


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

    def s3(self) -> S3Address:
        """Endpoint and credentials for `s3://` sources; bucket and prefix come from their URI."""
        return s3_address("s3://", self.settings.storage)


def open_door() -> Door:
    """Read the settings once and make the store. Raises: BadParameter."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    for package in ("components", "vultus"):
        logging.getLogger(package).setLevel(logging.INFO)
    settings = Settings()
    cores = os.cpu_count() or 1
    return Door(
        settings=settings,
        home=settings.paths,
        store=store_from(settings.storage, settings.paths),
        processes=settings.threads or cores,
    )
