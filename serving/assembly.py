"""Registry, champion pointer or folder -> the models that answer, followed while the server runs.

A request keeps the models it began with; the next one gets the new ones. A new champion that cannot be
loaded leaves the old one in place and says so in the log.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vultus.contracts.answers import Models
from vultus.contracts.home import Home
from vultus.contracts.words import CHAMPION
from vultus.errors import BadArtifact, BadParameter, VultusError
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.answers import models_of
from vultus.inference.bundle import open_analyser
from vultus.inference.thresholds import Thresholds
from vultus.signing import ChampionPointer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from vultus.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_SCHEME = "models:/"
_FOLLOWED = f"@{CHAMPION}"


@dataclass(frozen=True)
class Served:
    """One pair of model versions, ready to answer."""

    analyser: FaceAnalyser
    thresholds: Thresholds | None

    @property
    def models(self) -> Models:
        """Their names."""
        return models_of(self.analyser)


@dataclass(frozen=True)
class Source:
    """Where one model comes from: `models:/name@alias`, `models:/name/7`, or a folder."""

    uri: str
    home: Home
    fetch: Callable[[str], Path | None]

    @property
    def pointer_file(self) -> Path | None:
        """The pointer that is followed; None for a version that never moves."""
        if not (self.uri.startswith(_SCHEME) and self.uri.endswith(_FOLLOWED)):
            return None
        return self.home.models / self._name / "champion.json"

    def folder(self) -> Path | None:
        """The ModelVersion folder to load; None where nothing was promoted yet.

        Raises: TrackingUnavailable, BadParameter, BadArtifact.
        """
        if not self.uri.startswith(_SCHEME):
            return Path(self.uri)
        if self.pointer_file is not None:
            pointer = ChampionPointer.read(self.home, self._name)
            if pointer is not None:
                return pointer.path
        return self.fetch(self.uri)

    def state(self) -> tuple[int, ...]:
        """Changes when the pointer does."""
        file = self.pointer_file
        if file is None or not file.exists():
            return ()
        found = file.stat()
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    @property
    def _name(self) -> str:
        return self.uri.removeprefix(_SCHEME).removesuffix(_FOLLOWED)


class Assembly:
    """The models in use; `current` is cheap and never waits for a load."""

    def __init__(
        self,
        recognition: Source,
        pad: Source,
        public_key: "Ed25519PublicKey",
        *,
        threads: int = 1,
        changed: Callable[[str, Served], None] = lambda outcome, served: None,
    ) -> None:
        """Load both models.

        Args:
            public_key: whose signature is trusted.
            threads: inside one operator of one network.
            changed: told of every swap ("swapped") and every failed one ("refused").
        Raises: BadArtifact, where nothing was promoted; BadSignature and what `open_analyser` raises.
        """
        self._sources = (recognition, pad)
        self._public_key = public_key
        self._threads = threads
        self._changed = changed
        self._loading = threading.Lock()
        self._elders: dict[str, Served | None] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = self._look()
        self._served = self._load()

    @property
    def current(self) -> Served:
        """What a request that begins now is answered with."""
        return self._served

    def check(self) -> bool:
        """Load again if a pointer moved. Returns: whether other models answer now."""
        with self._loading:
            state = self._look()
            if state == self._state:
                return False
            self._state = state  # a broken version is tried once, not every second
            try:
                self._served = self._load()
            except (VultusError, OSError, ValueError) as error:
                logger.error(
                    "new champion refused, the old one stays",
                    extra={"why": str(error), "models": str(self._served.models)},
                )
                self._changed("refused", self._served)
                return False
            logger.info("models swapped", extra=self._served.models.model_dump())
            self._changed("swapped", self._served)
            return True

    def elder(self, name: str) -> tuple[FaceAnalyser, Thresholds] | None:
        """An earlier recogniser, such as "vultus-recognition/2", opened once.

        None where its files are gone or not to be trusted, which is said once in the log.
        """
        with self._loading:
            if name not in self._elders:
                self._elders[name] = self._open_elder(name)
            elder = self._elders[name]
        if elder is None or elder.thresholds is None:
            return None
        return elder.analyser, elder.thresholds

    def follow(self) -> None:
        """Look once a second from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="champion", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            self.check()

    def _open_elder(self, name: str) -> Served | None:
        source = self._sources[0]
        try:
            folder: Path | None = source.home.models / name
            if folder is not None and not folder.is_dir():
                folder = source.fetch(f"{_SCHEME}{name}")
            if folder is None:
                raise BadArtifact(f"{name} is in no registry any more")
            opened = open_analyser(folder, None, self._public_key, threads=self._threads)
        except (VultusError, OSError) as error:
            logger.error(
                "people enrolled under an earlier recogniser must enrol again",
                extra={"model": name, "why": str(error)},
            )
            return None
        logger.info("earlier recogniser opened for people it alone knows", extra={"model": name})
        return Served(*opened)

    def _look(self) -> tuple[tuple[int, ...], ...]:
        return tuple(source.state() for source in self._sources)

    def _load(self) -> Served:
        start = time.perf_counter()
        recognition, pad = (source.folder() for source in self._sources)
        if recognition is None and pad is None:
            raise BadArtifact(
                "no model was promoted yet; run `vultus run` (or `make run`) first, then serve"
            )
        served = Served(*open_analyser(recognition, pad, self._public_key, threads=self._threads))
        logger.info(
            "models loaded",
            extra={**served.models.model_dump(), "seconds": round(time.perf_counter() - start, 2)},
        )
        return served


def sources_from(settings: "Settings") -> tuple[Source, Source]:
    """Recogniser and PAD panel as the settings name them."""
    home = settings.paths

    def fetch(uri: str) -> Path | None:
        from vultus.registry import registry_from

        if settings.tracking.uri is None and not home.mlflow_database.exists():
            return None
        registry = registry_from(settings.tracking, home)
        version = registry.resolve(uri)
        return None if version is None else registry.fetch(version, home.models)

    return (
        Source(settings.serving.recognition, home, fetch),
        Source(settings.serving.pad, home, fetch),
    )


def trusted_key(settings: "Settings") -> "Ed25519PublicKey":
    """Whose signatures are believed: the key of the settings (public or private PEM), or the home's.

    Raises: BadParameter, in a cluster that was given none, or on a laptop that never signed.
    """
    from vultus.signing import (
        load_or_create_key,
        private_key_of,
        public_key_from,
        public_key_of,
    )

    given = settings.keys.signing
    if given is not None:
        pem = given.get_secret_value().encode()
        return public_key_from(pem) if b"PUBLIC KEY" in pem else public_key_of(private_key_of(pem))
    if settings.cluster:
        raise BadParameter(
            "VULTUS_KEYS__SIGNING is not set; mount the public key that model versions are checked with"
        )
    return public_key_of(load_or_create_key(settings.paths.keys / "signing.pem"))
