"""Settings -> the promoted models of the home, opened for a command."""

from typing import TYPE_CHECKING

from vultus.contracts.words import Task

if TYPE_CHECKING:
    from vultus.inference.analyser import FaceAnalyser
    from vultus.inference.thresholds import Thresholds
    from vultus.settings import Settings


def champions(
    settings: "Settings", need: Task, *, alone: bool = False, threads: int = 1
) -> "tuple[FaceAnalyser, Thresholds | None]":
    """Open what was promoted; see `vultus.inference.champion.open_champions`.

    Raises: BadArtifact, where the needed model was never promoted; BadSignature.
    """
    from vultus.inference.champion import open_champions
    from vultus.signing import private_key_of, public_key_from, public_key_of

    given = settings.keys.signing
    key = None
    if given is not None:
        pem = given.get_secret_value().encode()
        public = b"PUBLIC KEY" in pem  # all that whoever only reads models needs to be given
        key = public_key_from(pem) if public else public_key_of(private_key_of(pem))
    return open_champions(settings.paths, need=need, public_key=key, alone=alone, threads=threads)
