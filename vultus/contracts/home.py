"""Where state lies on a laptop: one folder, git-ignored, moved by VULTUS_HOME."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """Paths below the state folder. Nothing is made by asking for one."""

    root: Path

    @property
    def store(self) -> Path:
        """Bytes, by sha256."""
        return self.root / "store"

    @property
    def runs(self) -> Path:
        """Pipeline roots of kfp.local."""
        return self.root / "runs"

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
