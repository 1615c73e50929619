"""Signed statements over model versions (Ed25519), and the pointer to the version in use."""

from vultus.signing.decision import Decision, sign_decision, verify_decision
from vultus.signing.key import (
    PrivateKey,
    PublicKey,
    load_or_create_key,
    private_key_of,
    public_key_from,
    public_key_of,
)
from vultus.signing.pointer import ChampionPointer
from vultus.signing.statement import sign_version, verify_version

__all__ = [
    "ChampionPointer",
    "Decision",
    "PrivateKey",
    "PublicKey",
    "load_or_create_key",
    "private_key_of",
    "public_key_from",
    "public_key_of",
    "sign_decision",
    "sign_version",
    "verify_decision",
    "verify_version",
]
