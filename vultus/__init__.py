"""vultus: face authentication that one can train, trust and run.

    import vultus
    vultus.verify("reference.jpg", "probe.jpg").decision
    vultus.liveness("camera.jpg").pad.score

The names are loaded when they are first used; importing vultus itself costs and touches nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vultus.inference.analyser import FaceAnalyser
    from vultus.inference.library import liveness, verify

__version__ = "0.1.0"
__all__ = ["FaceAnalyser", "__version__", "liveness", "verify"]

_HOMES = {
    "FaceAnalyser": "vultus.inference.analyser",
    "liveness": "vultus.inference.library",
    "verify": "vultus.inference.library",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vultus' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
