"""Fast reads of a service's features as float vectors, without protobuf or Feast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from features.packed.layout import Floats, Layout
from features.packed.rows import Rows


@dataclass(frozen=True)
class Vectors:
    """Features of entities, one row each.

    Attributes:
        numbers: (entities, columns): numbers first, then booleans as 0 and 1; NaN where a value is missing.
        known: whether the store has the entity.
        texts, vectors: by name, None where missing.
    """

    numbers: Floats
    texts: Mapping[str, list[str | None]]
    known: npt.NDArray[np.bool_]
    vectors: Mapping[str, list[list[float] | None]] = field(default_factory=dict)

    def take(self, places: Sequence[int]) -> "Vectors":
        """The rows at these places, which may repeat."""
        texts = {name: [values[place] for place in places] for name, values in self.texts.items()}
        vectors = {name: [values[place] for place in places] for name, values in self.vectors.items()}
        return Vectors(self.numbers[places], texts, self.known[places], vectors)


class SnapshotReader:
    """Reads one published snapshot.

    Attributes:
        numbers, booleans, texts, vectors: names of the features by kind; `columns` are those that come as floats.
    """

    def __init__(self, project: str, layouts: Sequence[Layout], rows: Rows) -> None:
        self._project, self._layouts, self._rows = project, layouts, rows
        self.numbers = tuple(name for one in layouts for name in one.numbers)
        self.booleans = tuple(name for one in layouts for name in one.booleans)
        self.texts = tuple(name for one in layouts for name in one.texts)
        self.vectors = tuple(name for one in layouts for name in one.vectors)
        self.columns = (*self.numbers, *self.booleans)
        # Rows of all views are concatenated; these are the indices of the features in them.
        starts = np.cumsum([0, *(one.size // 8 for one in layouts)]).tolist()
        self._moments = np.array(starts[:-1], dtype=np.intp)
        places = [
            range(start + 1, start + 1 + len(one.numbers)) for start, one in zip(starts, layouts, strict=False)
        ] + [range(end - len(one.booleans), end) for end, one in zip(starts[1:], layouts, strict=True)]
        self._places = np.array([place for those in places for place in those], dtype=np.intp)

    def read(self, entities: Sequence[str]) -> Vectors:
        """The features of these entities, in this order: one round trip to the store."""
        return self.ask(entities)()

    def ask(self, entities: Sequence[str]) -> Callable[[], Vectors]:
        """As `read`: asks now, and the function that is returned waits."""
        return partial(self._vectors, self._rows.ask(self._project, entities))

    def _vectors(self, answers: Callable[[], Sequence[Mapping[str, bytes]]]) -> Vectors:
        found = answers()
        heads = [rows.get(one.view, one.empty)[: one.size] for rows in found for one in self._layouts]
        floats = np.frombuffer(b"".join(heads), dtype="<f8").reshape(len(found), -1)
        known = np.logical_or.reduce(floats[:, self._moments] > 0, axis=1)
        told = self._told(found)
        texts, vectors = ({name: told[name] for name in names} for names in (self.texts, self.vectors))
        return Vectors(floats.take(self._places, axis=1), texts, known, vectors)

    def _told(self, found: Sequence[Mapping[str, bytes]]) -> dict[str, list[Any]]:
        read: dict[str, list[Any]] = {}
        for one in self._layouts:
            names = one.texts + one.vectors
            if names:
                told = zip(*(one.told(rows.get(one.view)) for rows in found), strict=True)
                read |= {name: list(values) for name, values in zip(names, told, strict=True)}
        return read
