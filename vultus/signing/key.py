"""Ed25519 keys as PEM."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vultus.errors import BadParameter

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey
"""What other rooms call the keys: `cryptography` has one owner."""


def load_or_create_key(file: Path) -> Ed25519PrivateKey:
    """The signing key of a laptop: made by the first who asks, readable by its owner alone."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        partial = file.with_name(f".{file.name}.{os.getpid()}-{secrets.token_hex(4)}")
        partial.touch(mode=0o600)
        partial.write_bytes(pem)
        try:
            os.link(partial, file)
        except FileExistsError:
            pass  # another process was first: its key stands
        finally:
            partial.unlink()
    return private_key_of(file.read_bytes())


def private_key_of(pem: bytes) -> Ed25519PrivateKey:
    """A key from its PEM. Raises: BadParameter."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadParameter(f"the signing key is no unencrypted PEM private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadParameter("the signing key is not an Ed25519 key; make one with openssl genpkey")
    return key


def public_key_of(key: Ed25519PrivateKey) -> Ed25519PublicKey:
    """What others need to check a signature."""
    return key.public_key()


def public_key_from(pem: bytes) -> Ed25519PublicKey:
    """A public key from its PEM: all that a server needs. Raises: BadParameter."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadParameter(f"the signing key is no PEM public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadParameter(
            "the signing key is not an Ed25519 key; take the one that signs versions"
        )
    return key
