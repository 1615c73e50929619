"""Where vultus runs: folders, endpoints, credentials, budgets. Read once, at a door.

Nothing here changes a result; what does is a Param. Secrets have no default: on a laptop the first
run makes them below `home/keys`, in a cluster their absence is an error.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vultus.contracts.home import Home


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StorageSettings(_Group):
    """The object store: `s3://bucket/prefix`, or a folder; the home's own folder without one."""

    uri: str | None = None
    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    timeout_s: float = Field(default=20.0, gt=0)
    attempts: int = Field(default=4, ge=1)


class TrackingSettings(_Group):
    """MLflow: a server's URI; without one the home's SQLite file is used."""

    uri: str | None = None
    timeout_s: float = Field(default=20.0, gt=0)


class ServingSettings(_Group):
    """The KServe server."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    recognition: str = "models:/vultus-recognition@champion"
    pad: str = "models:/vultus-pad@champion"
    fmr: float = Field(default=1e-3, gt=0, lt=1, description="FMR where a request names none")
    max_image_bytes: int = Field(default=20_000_000, ge=1)
    max_image_pixels: int = Field(default=40_000_000, ge=1)
    requests_per_s: float = Field(default=50.0, gt=0, description="rate limit a key")
    api_key: SecretStr | None = Field(default=None, description="default: the key file of the home")


class MonitoringSettings(_Group):
    """Where alerts go, and where models are trained again."""

    webhook: str | None = Field(default=None, description="URL that takes alerts as JSON")
    alertmanager: str | None = Field(default=None, description="base URL; API v2")
    kubeflow: str | None = Field(
        default=None, description="Kubeflow Pipelines that retraining is started at"
    )


class RolloutSettings(_Group):
    """The KServe InferenceService that promotion changes; unset on a laptop."""

    service: str | None = None
    namespace: str = "vultus"
    api: str | None = Field(default=None, description="default: the pod's cluster or kubeconfig")


class KeySettings(_Group):
    """Secrets as a cluster hands them over; unset on a laptop."""

    signing: SecretStr | None = Field(default=None, description="Ed25519 private key, PEM")
    pseudonym: SecretStr | None = None
    gallery: SecretStr | None = None


class Settings(BaseSettings):
    """The one tree: VULTUS_HOME, VULTUS_STORAGE__URI, VULTUS_SERVING__PORT, ..."""

    model_config = SettingsConfigDict(
        env_prefix="VULTUS_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Path(".vultus")
    cluster: bool = Field(
        default=False, description="no key is ever made here; all come from outside"
    )
    git_commit: str = Field(default="unknown", description="of the code that runs; in the lineage")
    threads: int = Field(default=0, ge=0, description="0 = as many as there are cores")
    device: str = Field(default="auto", description="of training: auto, cpu, cuda, cuda:1")
    storage: StorageSettings = StorageSettings()
    tracking: TrackingSettings = TrackingSettings()
    serving: ServingSettings = ServingSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    rollout: RolloutSettings = RolloutSettings()
    keys: KeySettings = KeySettings()

    @property
    def paths(self) -> Home:
        """State folders below `home`, absolute."""
        return Home(self.home.absolute())
