"""The promoted pair of a laptop's home, opened: no server and no MLflow needed."""

from pathlib import Path
from typing import TYPE_CHECKING

from vultus.contracts.home import Home
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, Task
from vultus.errors import BadArtifact, BadSignature
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.bundle import open_analyser
from vultus.inference.thresholds import Thresholds
from vultus.signing import ChampionPointer, private_key_of, public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_NAMES = {Task.RECOGNITION: RECOGNITION_MODEL, Task.LIVENESS: PAD_MODEL}


def champion_folder(home: Home, task: Task) -> Path | None:
    """The ModelVersion folder in use; None before the first promotion."""
    pointer = ChampionPointer.read(home, _NAMES[task])
    if pointer is None:
        return None
    # A home that was moved as a whole still holds its copies in their usual place.
    usual = home.models / pointer.name / str(pointer.version)
    return usual if usual.exists() else pointer.path


def open_champions(
    home: Home,
    *,
    need: Task,
    public_key: "Ed25519PublicKey | None" = None,
    alone: bool = False,
    threads: int = 1,
) -> tuple[FaceAnalyser, Thresholds | None]:
    """Open what was promoted below `home`.

    Args:
        need: the model without which there is no answer.
        public_key: whose signature is trusted; default: the home's own key.
        alone: leave the other model out.
        threads: inside one operator.
    Raises: BadArtifact, where the needed model was never promoted; BadSignature.
    """
    folders = {task: champion_folder(home, task) for task in Task if task is need or not alone}
    if folders[need] is None:
        raise BadArtifact(
            f"no {_NAMES[need]} was promoted in {home.root} yet; run `vultus run {need}` first"
        )
    return open_analyser(
        folders.get(Task.RECOGNITION),
        folders.get(Task.LIVENESS),
        public_key or home_key(home),
        threads=threads,
    )


def home_key(home: Home) -> "Ed25519PublicKey":
    """The key that signs on this laptop; asking never makes one. Raises: BadSignature."""
    file = home.keys / "signing.pem"
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise BadSignature(
            f"{file} cannot be read ({error.strerror}): no signature can be checked without it; "
            "run `vultus run` here, or set VULTUS_KEYS__SIGNING"
        ) from error
    return public_key_of(private_key_of(pem))
