"""One signature over everything that a model version is: weights, transform, thresholds, figures."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from vultus.contracts.artifact import MANIFEST, sha256_of
from vultus.contracts.models import Statement
from vultus.errors import BadSignature

_STATEMENT, _SIGNATURE = "statement.json", "statement.sig"
_OUTSIDE = {_STATEMENT, _SIGNATURE, MANIFEST}


def sign_version(
    folder: Path,
    key: Ed25519PrivateKey,
    *,
    name: str,
    data_sha256: str,
    git_commit: str,
    run_id: str,
    evaluated_data_sha256: str = "",
) -> Statement:
    """Write `statement.json` and `statement.sig` over the files that lie in the folder."""
    statement = Statement(
        name=name,
        sha256={file: sha256_of(folder / file) for file in _files(folder)},
        data_sha256=data_sha256,
        evaluated_data_sha256=evaluated_data_sha256,
        git_commit=git_commit,
        run_id=run_id,
    )
    text = statement.model_dump_json(indent=2).encode()
    (folder / _STATEMENT).write_bytes(text)
    (folder / _SIGNATURE).write_bytes(key.sign(text))
    return statement


def verify_version(folder: Path, public_key: Ed25519PublicKey) -> Statement:
    """Check signature and every file; nothing may be changed, missing or added.

    Raises: BadSignature, naming the file.
    """
    try:
        text = (folder / _STATEMENT).read_bytes()
        public_key.verify((folder / _SIGNATURE).read_bytes(), text)
        statement = Statement.model_validate_json(text)
    except OSError as error:
        raise BadSignature(f"{folder} carries no signed statement: {error}") from error
    except InvalidSignature as error:
        raise BadSignature(
            f"{folder / _STATEMENT} was not signed with the key that is trusted here; "
            "do not load this model"
        ) from error
    except ValidationError as error:
        raise BadSignature(f"{folder / _STATEMENT} cannot be read: {error}") from error
    found = set(_files(folder))
    if extra := found - set(statement.sha256):
        raise BadSignature(f"{folder} holds files nobody signed: {', '.join(sorted(extra))}")
    for file, expected in statement.sha256.items():
        if file not in found or sha256_of(folder / file) != expected:
            raise BadSignature(f"{folder / file} is not the file that was signed")
    return statement


def _files(folder: Path) -> list[str]:
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return sorted(name for name in names if name not in _OUTSIDE)  # in the root alone, not below
