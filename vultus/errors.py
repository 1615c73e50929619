"""Every error that vultus raises on purpose.

    VultusError                 what, where, what to do: one sentence each
    ├── BadInput                the caller's file, parameter or request cannot be used
    │   ├── BadImage            bytes that are no picture we accept
    │   ├── BadSource           a data source that cannot be read or is not known
    │   │   ├── SourceChanged   one of its pictures was written to while it was read
    │   │   └── SourceVanished  one of its pictures was listed, and is gone
    │   └── BadParameter        a step or request parameter of the wrong type or range
    ├── BadArtifact             a folder between two steps is missing, cut or of another kind
    ├── BadData                 validation stopped the run
    ├── NoTrials                a figure was asked for without a single trial
    ├── DegenerateLandmarks     five points that allow no similarity transform
    ├── WeightsUnavailable      a pretrained file is absent, or its sha256 is not the one we know
    ├── TransformMismatch       a model that was trained for another preprocessing
    ├── BadSignature            a model version whose statement does not hold
    ├── StorageUnavailable      the object store or the disk refuses
    ├── TrackingUnavailable     the MLflow server or its database refuses
    ├── TrainingFailed          NaN loss, nothing to learn from
    └── RolloutFailed           the cluster did not take a promoted version

An expected outcome (no face, an attack, a refusal by the gate, a drift) is a result, never an exception.
"""


class VultusError(Exception):
    """Root of the tree. The message says what, where and what to do."""


class BadInput(VultusError):
    """The caller's file, parameter or request cannot be used."""


class BadImage(BadInput):
    """Bytes that are no picture we accept."""


class BadSource(BadInput):
    """A data source that cannot be read or is not known."""


class SourceChanged(BadSource):
    """A picture of a source was written to while it was read."""


class SourceVanished(BadSource):
    """A picture of a source was listed, and is gone."""


class BadParameter(BadInput):
    """A step or request parameter of the wrong type or range."""


class BadArtifact(VultusError):
    """A folder between two steps is missing, cut or of another kind."""


class BadData(VultusError):
    """Validation stopped the run."""


class NoTrials(VultusError):
    """A figure was asked for without a single trial."""


class DegenerateLandmarks(VultusError):
    """Five points that allow no similarity transform."""


class WeightsUnavailable(VultusError):
    """A pretrained file is absent, or its sha256 is not the one we know."""


class TransformMismatch(VultusError):
    """A model that was trained for another preprocessing."""


class BadSignature(VultusError):
    """A model version whose statement does not hold."""


class StorageUnavailable(VultusError):
    """The object store or the disk refuses."""


class TrackingUnavailable(VultusError):
    """The MLflow server or its database refuses."""


class TrainingFailed(VultusError):
    """A loss that is no number, or nothing to learn from."""


class RolloutFailed(VultusError):
    """The cluster did not take a promoted version."""
