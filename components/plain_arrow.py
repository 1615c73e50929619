"""Arrow without pandas: imported by the server of the workers, before there is any.

With the first array that it makes, pyarrow imports pandas to be able to ask whether it was handed a
frame: 0.2 s of processor time in each process. Workers hand it none, so here it finds no pandas, once
and for all; whatever else wants pandas imports it as ever.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Says that there is none."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Raises: ModuleNotFoundError, for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError("pyarrow is to do without pandas", name=name)


_finder = _NoPandas()
sys.meta_path.insert(0, _finder)
try:
    pa.array([0])
finally:
    sys.meta_path.remove(_finder)
