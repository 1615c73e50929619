"""Subject-disjoint splits that never change for a subject, however the source grows."""

import hashlib
import hmac
import re
from functools import lru_cache

from vultus.contracts.words import Split


def split_of(subject: str, *, split_seed: int, validation_share: float, test_share: float) -> Split:
    """The split of one subject, from its raw name and the seed alone.

    No secret takes part: two people with different pseudonym keys get the same splits.
    """
    digest = hashlib.sha256(f"{split_seed}:{subject}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < test_share:
        return Split.TEST
    if position < test_share + validation_share:
        return Split.VALIDATION
    return Split.TRAIN


@lru_cache(maxsize=512)
def pseudonym_of(subject: str, key: bytes) -> str:
    """Keyed pseudonym, 16 hex characters; the raw name never leaves `ingest`."""
    return hmac.new(key, subject.encode(), hashlib.sha256).hexdigest()[:16]


def masked(text: str, subject: str, pseudonym: str) -> str:
    """The text (a path, a message) with the subject's name replaced by the pseudonym, wherever it
    stands as a word of its own, and everywhere if it has at least three letters."""
    return _name(subject).sub(pseudonym, text) if subject else text


@lru_cache(maxsize=512)
def _name(subject: str) -> re.Pattern[str]:
    name = re.escape(subject)
    bounded = rf"(?<![0-9A-Za-z]){name}(?![0-9A-Za-z])"
    return re.compile(name if len(subject) > 2 else bounded, re.IGNORECASE)
