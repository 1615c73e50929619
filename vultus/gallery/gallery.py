"""Who is enrolled: one SQLite file that several threads and processes share.

The file holds no name and no template in the clear; the process that has the key does, in memory.
Deleting a subject destroys its key and overwrites its rows.
"""

import threading
from pathlib import Path
from sqlite3 import Connection

import numpy as np

from vultus.contracts.answers import Candidate
from vultus.contracts.arrays import Embeddings
from vultus.errors import BadArtifact, BadParameter
from vultus.gallery.database import Database
from vultus.gallery.index import Index
from vultus.gallery.sealing import GalleryKeys, Sealer, keyed_hash, template_bytes, template_of

_FILE = "gallery.db"
_CANARY = b"vultus gallery"
_LONGEST_SUBJECT = 200
_UNIT_TOLERANCE = 1e-3


class Gallery:
    """References of subjects, under one or several recognition models."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Open `folder/gallery.db`, made by the first who asks.

        Args: folder: of this gallery alone; key: at least 16 secret bytes.
        Raises: BadParameter, if the file was made with another key; StorageUnavailable.
        """
        self._keys = GalleryKeys(key)
        self._database = Database(folder / _FILE)
        self._lock = threading.Lock()
        self._generation = -1
        self._names: dict[int, str] = {}
        self._indexes: dict[str, Index] = {}
        self._behind: tuple[tuple[int, str], dict[str, frozenset[str]]] = ((-1, ""), {})
        self._prove_key()

    def add(
        self, subject: str, embedding: Embeddings, *, model: str, image_sha256: str
    ) -> tuple[bool, int]:
        """Keep one reference; the same image under the same model changes nothing.

        Args:
            subject: 1 to 200 characters, the caller's id.
            embedding: float32 [D], unit length.
            model: the recogniser that made it, e.g. "vultus-recognition/3".
            image_sha256: of the file the embedding was made from.
        Returns: whether it was added; references of this subject afterwards, under this model.
        Raises: BadParameter, StorageUnavailable.
        """
        _check(subject, embedding)
        pseudonym = self._keys.pseudonym(subject)
        with self._database.writing() as rows:
            subject_id, key = self._known_or_new(rows, subject, pseudonym)
            image = keyed_hash(key, image_sha256.encode())
            template = Sealer(key).close(template_bytes(embedding), _place(pseudonym, model, image))
            added = rows.execute(
                "INSERT OR IGNORE INTO reference (subject, model, image, template) "
                "VALUES (?, ?, ?, ?)",
                (subject_id, model, image, template),
            ).rowcount
            if added:
                rows.execute("UPDATE state SET generation = generation + 1")
            count = rows.execute(
                "SELECT count(*) FROM reference WHERE subject = ? AND model = ?",
                (subject_id, model),
            ).fetchone()[0]
        return bool(added), int(count)

    def remove(self, subject: str) -> int:
        """Forget a subject: key, name and references under every model.

        Returns: references that were deleted; 0 where nobody of that name was enrolled.
        Raises: StorageUnavailable; it is safe, and complete, to call again.
        """
        pseudonym = self._keys.pseudonym(subject)
        with self._database.writing() as rows:
            count = _references(rows, pseudonym)
            gone = rows.execute("DELETE FROM subject WHERE pseudonym = ?", (pseudonym,)).rowcount
            if gone:
                rows.execute("UPDATE state SET generation = generation + 1")
        self._database.empty_log()
        self._refresh()  # so that this process forgets the name and the templates now
        return count

    def search(
        self, embedding: Embeddings, *, model: str, threshold: float, limit: int
    ) -> list[Candidate]:
        """Subjects whose best reference scores >= threshold, best first.

        Args: embedding: float32 [D], unit length; model: whose references are compared.
        Raises: BadParameter, StorageUnavailable, BadArtifact.
        """
        indexes, names = self._refresh()
        index = indexes.get(model)
        if index is None:
            return []
        found = index.search(np.asarray(embedding, np.float32), threshold, limit)
        return [Candidate(subject=names[subject], score=score) for subject, score in found]

    def left_behind(self, model: str) -> dict[str, frozenset[str]]:
        """Subjects without a reference under `model`, by the other models that know them.

        Raises: StorageUnavailable, BadArtifact.
        """
        indexes, names = self._refresh()
        place = (self._generation, model)
        if self._behind[0] != place:
            here = set(indexes[model].subjects.tolist()) if model in indexes else set()
            behind = {
                other: frozenset(names[one] for one in set(index.subjects.tolist()) - here)
                for other, index in indexes.items()
                if other != model
            }
            self._behind = (place, {other: who for other, who in behind.items() if who})
        return self._behind[1]

    def references(self, subject: str) -> int:
        """How many references a subject has, under all models."""
        with self._database.reading() as rows:
            return _references(rows, self._keys.pseudonym(subject))

    def count(self) -> int:
        """How many subjects are enrolled."""
        with self._database.reading() as rows:
            return int(rows.execute("SELECT count(*) FROM subject").fetchone()[0])

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def _known_or_new(self, rows: Connection, subject: str, pseudonym: bytes) -> tuple[int, bytes]:
        """Row id and key of a subject; both are made where there are none."""
        found = rows.execute(
            "SELECT id, wrapped_key FROM subject WHERE pseudonym = ?", (pseudonym,)
        ).fetchone()
        if found is not None:
            return found[0], self._keys.subject_key(found[1], pseudonym)
        key, wrapped = self._keys.new_subject_key(pseudonym)
        made = rows.execute(
            "INSERT INTO subject (pseudonym, wrapped_key, name) VALUES (?, ?, ?) RETURNING id",
            (pseudonym, wrapped, Sealer(key).close(subject.encode(), pseudonym)),
        ).fetchone()
        return made[0], key

    def _refresh(self) -> tuple[dict[str, Index], dict[int, str]]:
        """The indexes and names of the newest state; only what changed is read and opened."""
        with self._lock, self._database.reading() as rows:
            (generation,) = rows.execute("SELECT generation FROM state").fetchone()
            if generation == self._generation:
                return self._indexes, self._names
            kept = {row[0] for row in rows.execute("SELECT id FROM reference")}
            subjects = {row[0] for row in rows.execute("SELECT id FROM subject")}
            known = max(
                (int(index.references.max(initial=0)) for index in self._indexes.values()),
                default=0,
            )
            added = rows.execute(
                "SELECT r.id, r.model, r.image, r.template, s.id, s.pseudonym, s.wrapped_key, s.name "
                "FROM reference r JOIN subject s ON s.id = r.subject WHERE r.id > ? ORDER BY r.id",
                (known,),
            ).fetchall()
            indexes = {model: index.only(kept) for model, index in self._indexes.items()}
            names = {number: name for number, name in self._names.items() if number in subjects}
            fresh: dict[str, list[tuple[int, int, Embeddings]]] = {}
            for reference, model, image, template, subject, pseudonym, wrapped, name in added:
                sealer = Sealer(self._keys.subject_key(wrapped, pseudonym))
                plain = sealer.open(template, _place(pseudonym, model, image))
                names.setdefault(subject, sealer.open(name, pseudonym).decode())
                fresh.setdefault(model, []).append((reference, subject, template_of(plain)))
            for model, more in fresh.items():
                start = indexes.get(model) or Index.empty(len(more[0][2]))
                indexes[model] = start.plus(more)
            self._indexes, self._names, self._generation = indexes, names, generation
            return indexes, names

    def _prove_key(self) -> None:
        """The first key leaves a canary; another key cannot open it."""
        key = self._keys.subject_key
        with self._database.writing() as rows:
            (canary,) = rows.execute("SELECT canary FROM state").fetchone()
            if canary is None:
                _, canary = self._keys.new_subject_key(_CANARY)
                rows.execute("UPDATE state SET canary = ?", (canary,))
        try:
            key(canary, _CANARY)
        except BadArtifact as error:
            self.close()
            raise BadParameter(
                f"the gallery {self._database.file} was made with another key; hand over that key, "
                "or move the file away to begin an empty gallery"
            ) from error


def _references(rows: Connection, pseudonym: bytes) -> int:
    found = rows.execute(
        "SELECT count(*) FROM reference r JOIN subject s ON s.id = r.subject WHERE s.pseudonym = ?",
        (pseudonym,),
    )
    return int(found.fetchone()[0])


def _place(pseudonym: bytes, model: str, image: bytes) -> bytes:
    return pseudonym + image + model.encode()


def _check(subject: str, embedding: Embeddings) -> None:
    if not subject.strip() or len(subject) > _LONGEST_SUBJECT:
        raise BadParameter(f"a subject id has 1 to {_LONGEST_SUBJECT} characters")
    length = float(np.linalg.norm(embedding))
    if embedding.ndim != 1 or not abs(length - 1.0) < _UNIT_TOLERANCE:
        raise BadParameter(
            f"a template is one vector of unit length; got shape {embedding.shape}, length {length:.4f}"
        )
