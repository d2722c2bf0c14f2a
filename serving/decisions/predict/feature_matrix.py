"""Model inputs of a batch, one row per opportunity."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Literal

import numpy as np

from models.vectors import Floats
from serving.decisions.case import number
from serving.decisions.records import Opportunity, Value

Kind = Literal["number", "boolean", "text", "vector"]

#: Fields of the opportunity that models may read by the same name.
_OWN = ("campaign_id", "keyword", "channel", "audience", "creative_id", "hour", "floor_price", "current_bid")


def kind(dtype: str) -> Kind:
    """The kind of a bundle's column by its dtype, which is `vector` for lists of numbers."""
    if dtype == "vector":
        return "vector"
    if dtype.lower().startswith(("float", "int", "uint")):
        return "number"
    return "boolean" if dtype.startswith("bool") else "text"


class Columns:
    """The columns of all models of a batch.

    Attributes:
        floats: index of each numeric and boolean column.
        texts, vectors: names of the columns of these kinds.
    """

    def __init__(self, columns: Iterable[tuple[str, str]]) -> None:
        kinds = {name: kind(dtype) for name, dtype in columns}
        self.booleans = frozenset(name for name, one in kinds.items() if one == "boolean")
        plain = [name for name, one in kinds.items() if one in ("number", "boolean")]
        self.floats: Mapping[str, int] = {name: place for place, name in enumerate(plain)}
        self.texts = tuple(name for name, one in kinds.items() if one == "text")
        self.vectors = tuple(name for name, one in kinds.items() if one == "vector")
        self.own = tuple(name for name in _OWN if name in kinds)


class FeatureMatrix:
    """Values by column and opportunity; missing unless set.

    Attributes:
        numbers: (opportunities, floats), NaN where missing.
        faults: errors in the inputs, by opportunity.
    """

    def __init__(self, columns: Columns, rows: int) -> None:
        self.columns = columns
        self.numbers: Floats = np.full((rows, len(columns.floats)), np.nan)
        self.texts: dict[str, list[str | None]] = {name: [None] * rows for name in columns.texts}
        self.vectors: dict[str, list[list[float] | None]] = {name: [None] * rows for name in columns.vectors}
        self.faults: list[list[str]] = [[] for _ in range(rows)]

    def say(self, opportunities: Sequence[Opportunity]) -> None:
        """Set values from the caller; they override those of the online store."""
        for row, asked in enumerate(opportunities):
            for name in self.columns.own:
                self._set(row, name, getattr(asked, name, None))
            for name, value in asked.features.items():
                self._set(row, name, value)

    def read(self) -> list[dict[str, Value]]:
        """The features that models read, by row, without missing ones."""
        names, there = list(self.columns.floats), (~np.isnan(self.numbers)).tolist()
        found: list[dict[str, Value]] = [
            dict(compress(zip(names, row, strict=True), known))
            for row, known in zip(self.numbers.tolist(), there, strict=True)
        ]
        for name in self.columns.booleans:
            for one in found:
                if name in one:
                    one[name] = bool(one[name])
        for listed in (self.texts, self.vectors):
            for name, values in listed.items():
                for one, value in zip(found, values, strict=True):
                    if value is not None:
                        one[name] = value
        return found

    def know(self, name: str, values: Floats) -> None:
        """Set values that override all others; not finite where unknown."""
        place = self.columns.floats.get(name)
        if place is not None:
            self.numbers[:, place] = np.where(np.isfinite(values), values, self.numbers[:, place])

    def guess(self, name: str, values: Floats) -> None:
        """Set estimates where a number is missing."""
        self.know(name, np.where(np.isnan(self.column(name)), values, np.nan))

    def column(self, name: str) -> Floats:
        """A numeric column; missing values where no model reads it."""
        place = self.columns.floats.get(name)
        return np.full(len(self.numbers), np.nan) if place is None else self.numbers[:, place]

    def _set(self, row: int, name: str, value: Any) -> None:
        place = self.columns.floats.get(name)
        if value is None:
            return
        if place is None:
            if name in self.texts or name in self.vectors:
                self._list(row, name, value)
            return
        boolean = name in self.columns.booleans
        found = float(value) if isinstance(value, bool) and boolean else None if boolean else number(value)
        if found is None:
            expected = "true or false" if boolean else "a finite number"
            self.faults[row].append(f"feature '{name}': expected {expected}, got {str(value)[:80]!r}")
        else:
            self.numbers[row, place] = found

    def _list(self, row: int, name: str, value: Any) -> None:
        """Set a text or a vector."""
        if name in self.texts and isinstance(value, str):
            self.texts[name][row] = value
        elif name in self.vectors and isinstance(value, list):
            self.vectors[name][row] = value
        else:
            expected = "text" if name in self.texts else "a list of numbers"
            self.faults[row].append(f"feature '{name}': expected {expected}, got {repr(value)[:80]}")

    def lines(self) -> "list[FeatureMatrix]":
        """Matrices of one row each, which share their lists of faults with this one."""
        return [self.line(row) for row in range(len(self.numbers))]

    def line(self, row: int) -> "FeatureMatrix":
        """One row, which shares its values and its list of faults with this matrix."""
        line = FeatureMatrix(self.columns, 0)
        line.numbers = self.numbers[row : row + 1]
        line.texts = {name: values[row : row + 1] for name, values in self.texts.items()}
        line.vectors = {name: values[row : row + 1] for name, values in self.vectors.items()}
        line.faults = self.faults[row : row + 1]
        return line
