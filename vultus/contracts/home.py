"""Where state lies on a laptop: one folder, git-ignored, moved by VULTUS_HOME."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

_SECRET_BYTES = 32


@dataclass(frozen=True)
class Home:
    """Paths below the state folder. Nothing is made by asking for one."""

    root: Path

    @property
    def store(self) -> Path:
        """Bytes, by sha256."""
        return self.root / "store"

    @property
    def ingest(self) -> Path:
        """What each source has given so far; holds keyed names only."""
        return self.root / "ingest"

    @property
    def crop(self) -> Path:
        """What was cut out of each picture so far."""
        return self.root / "crop"

    @property
    def runs(self) -> Path:
        """Pipeline roots of kfp.local."""
        return self.root / "runs"

    @property
    def data(self) -> Path:
        """Data versions that `vultus data ingest` made, one folder each."""
        return self.root / "data"

    @property
    def cache(self) -> Path:
        """kfp's step cache."""
        return self.root / "cache"

    @property
    def resume(self) -> Path:
        """Training state to go on from, one folder a fingerprint."""
        return self.root / "resume"

    @property
    def mlflow_database(self) -> Path:
        """SQLite file of tracking and registry."""
        return self.root / "mlflow" / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Artifacts of runs and versions."""
        return self.root / "mlflow" / "artifacts"

    @property
    def weights(self) -> Path:
        """Fetched and converted pretrained files."""
        return self.root / "weights"

    @property
    def models(self) -> Path:
        """Verified copies of registered versions."""
        return self.root / "models"

    @property
    def gallery(self) -> Path:
        """Enrolled references."""
        return self.root / "gallery"

    @property
    def features(self) -> Path:
        """Feature log."""
        return self.root / "features"

    @property
    def keys(self) -> Path:
        """Secrets, mode 0600."""
        return self.root / "keys"

    @property
    def reports(self) -> Path:
        """Documents for people, beside the state folder."""
        return self.root.parent / "reports"


def load_or_create_secret(file: Path) -> bytes:
    """32 random bytes as hex in a file only its owner can read; made by the first who asks.

    Two processes may ask at once: the file appears whole, and both read the same bytes.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = file.with_name(f".{file.name}.{os.getpid()}-{secrets.token_hex(4)}")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_hex(_SECRET_BYTES))
        try:
            os.link(partial, file)  # fails where another process was first; its secret stands
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return bytes.fromhex(file.read_text().strip())
