"""What turns names and templates into bytes that say nothing without the gallery's key.

One key a subject, wrapped by the gallery's key: who destroys the wrapped key has destroyed every
template of that subject, also in a backup of the file. AES-256-GCM (NIST SP 800-38D) with random
96-bit nonces; the additional data binds a box to its place, so that it opens nowhere else.
"""

import hmac
import os

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vultus.contracts.arrays import Embeddings
from vultus.errors import BadArtifact, BadParameter

_NONCE_BYTES = 12
_KEY_BYTES = 32
_SHORTEST_KEY_BYTES = 16


class Sealer:
    """Opens and closes the boxes of one key."""

    def __init__(self, key: bytes) -> None:
        """Args: key: 32 bytes."""
        self._box = AESGCM(key)

    def close(self, plain: bytes, place: bytes) -> bytes:
        """Nonce and ciphertext; `place` must be given again to open."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._box.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain bytes. Raises: BadArtifact, if bytes or place are not those of `close`."""
        try:
            return self._box.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise BadArtifact(
                "an entry of the gallery was changed, or belongs to another key; restore the file, "
                "or enrol the subject again"
            ) from error


class GalleryKeys:
    """Everything that is derived from the gallery's secret."""

    def __init__(self, secret: bytes) -> None:
        """Args: secret: at least 16 bytes. Raises: BadParameter."""
        if len(secret) < _SHORTEST_KEY_BYTES:
            raise BadParameter(
                f"the gallery key has {len(secret)} bytes, at least {_SHORTEST_KEY_BYTES} are needed"
            )
        self._pseudonym = _derived(secret, b"vultus gallery pseudonym")
        self._wrapper = Sealer(_derived(secret, b"vultus gallery wrap"))

    def pseudonym(self, subject: str) -> bytes:
        """What the file knows a subject by: 32 bytes, the same for the same name."""
        return keyed_hash(self._pseudonym, subject.encode())

    def new_subject_key(self, pseudonym: bytes) -> tuple[bytes, bytes]:
        """A fresh key and its wrapped form."""
        key = os.urandom(_KEY_BYTES)
        return key, self._wrapper.close(key, pseudonym)

    def subject_key(self, wrapped: bytes, pseudonym: bytes) -> bytes:
        """The key in a wrapped one. Raises: BadArtifact."""
        return self._wrapper.open(wrapped, pseudonym)


def keyed_hash(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes."""
    return hmac.digest(key, message, "sha256")


def template_bytes(embedding: Embeddings) -> bytes:
    """float32 [D] -> little-endian bytes."""
    return np.ascontiguousarray(embedding, "<f4").tobytes()


def template_of(data: bytes) -> Embeddings:
    """The embedding in `template_bytes`, float32 [D]."""
    return np.frombuffer(data, "<f4").astype(np.float32)


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(secret)
