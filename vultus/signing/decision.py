"""What the gate decided about one signed version, signed too: a tag that somebody edits is seen."""

from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vultus.errors import BadSignature


class Decision(BaseModel):
    """The fewest words that bind a decision to its version and to the report of its reasons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered model")
    version: int
    digest: str = Field(
        description="of the version's files: weights, transform, thresholds, figures, their statement"
    )
    champion_before: int | None = Field(description="what it was compared with")
    decision: Literal["passed", "refused"]
    report_sha256: str = Field(description="of gate.json: every rule, its reasons and its numbers")


def sign_decision(decision: Decision, key: Ed25519PrivateKey) -> tuple[str, str]:
    """The decision as one line of JSON, and the Ed25519 signature over its bytes, hex."""
    text = decision.model_dump_json()
    return text, key.sign(text.encode()).hex()


def verify_decision(text: str, signature: str, public_key: Ed25519PublicKey) -> Decision:
    """Read a decision that was signed with the trusted key. Raises: BadSignature."""
    try:
        public_key.verify(bytes.fromhex(signature), text.encode())
        return Decision.model_validate_json(text)
    except InvalidSignature as error:
        raise BadSignature(
            "the gate's decision was not signed with the key that is trusted here"
        ) from error
    except (ValueError, ValidationError) as error:
        raise BadSignature(f"the gate's decision cannot be read: {error}") from error
