"""What a training must not see, to learn what a network does with attacks or cameras it never saw.

Left out of train and validation (weights, thresholds, calibration), kept in test.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from vultus.contracts.words import Species, Split
from vultus.errors import BadParameter

_KINDS = ("species", "source")


@dataclass(frozen=True)
class LeftOut:
    """species: PAI species; sources: as the column `source` of the data says."""

    species: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, said: Iterable[str]) -> Self:
        """From "species=replay", "source=NAME". Raises: BadParameter."""
        found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
        for one in said:
            kind, _, name = one.partition("=")
            if kind not in found or not name:
                raise BadParameter(f"leave_out '{one}': say species=NAME or source=NAME")
            if kind == "species" and name not in {species.value for species in Species}:
                known = ", ".join(species.value for species in Species)
                raise BadParameter(f"leave_out '{one}': PAI species are {known}")
            found[kind].add(name)
        return cls(frozenset(found["species"]), frozenset(found["source"]))

    def __bool__(self) -> bool:
        return bool(self.species or self.sources)

    def __str__(self) -> str:
        kinds = (("species", self.species), ("source", self.sources))
        return ", ".join(f"{kind} {name}" for kind, names in kinds for name in sorted(names))

    def unseen(self, crops: pa.Table) -> pa.ChunkedArray:
        """Rows of a left-out species or source, bool [N]; whatever their split."""
        species = pc.is_in(crops["species"], pa.array(sorted(self.species), pa.string()))
        return pc.or_(
            species, pc.is_in(crops["source"], pa.array(sorted(self.sources), pa.string()))
        )

    def check(self, crops: pa.Table) -> None:
        """Raises: BadParameter, if a species or source is in none of the rows: a slip of the pen."""
        for column, names in (("species", self.species), ("source", self.sources)):
            unknown = names - set(pc.unique(crops[column]).to_pylist())
            if unknown:
                raise BadParameter(
                    f"leave_out: no picture has {column} {', '.join(sorted(unknown))}"
                )

    def without(self, crops: pa.Table) -> pa.Table:
        """The crops without the left-out rows of train and validation."""
        if not self:
            return crops
        test = pc.equal(crops["split"], Split.TEST.value)
        return crops.filter(pc.or_(test, pc.invert(self.unseen(crops))))
