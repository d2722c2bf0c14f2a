"""Feature rows of any type as the matrix of numbers that two-sample tests read, coded by the reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Matrix = npt.NDArray[np.float64]
#: Categories beyond the commonest so many are tested as one: each cell of a table needs some rows.
CATEGORIES = 30


@dataclass(frozen=True)
class Coding:
    """How the columns of a reference become numbers.

    A missing number becomes one below all others and a missing category one of its own, so that a feature which stops
    coming in is a drift like any other. Columns of lists or times have no distribution to compare and are left out.
    """

    columns: tuple[str, ...]
    categorical: tuple[int, ...]
    codes: tuple[Callable[["pd.Series[Any]"], Matrix], ...]

    @classmethod
    def of(cls, reference: pd.DataFrame) -> "Coding":
        """The coding of `reference`, read from its values."""
        kinds = {str(name): _kind(reference[name]) for name in reference}
        columns = tuple(name for name, kind in kinds.items() if kind)
        categorical = tuple(place for place, name in enumerate(columns) if kinds[name] == "category")
        makers = {"number": _numbers_below, "category": _categories_of}
        return cls(columns, categorical, tuple(makers[str(kinds[name])](reference[name]) for name in columns))

    def encode(self, rows: pd.DataFrame) -> Matrix:
        """`rows` as a matrix, a column each of `columns`. Raises `KeyError` naming a column that `rows` lacks."""
        return np.column_stack([code(rows[name]) for name, code in zip(self.columns, self.codes, strict=True)])


def _kind(values: "pd.Series[Any]") -> str | None:
    """`number`, `category`, or None for what cannot be tested."""
    if pd.api.types.is_bool_dtype(values):
        return "category"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    plain = values.dropna().map(lambda value: isinstance(value, str | bool | np.bool_))
    return "category" if len(plain) and plain.all() else None


def _numbers_below(reference: "pd.Series[Any]") -> Callable[["pd.Series[Any]"], Matrix]:
    numbers = reference.astype(float)
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.notna().any() else (0.0, 0.0)
    missing = low - (high - low) - 1.0

    def code(values: "pd.Series[Any]") -> Matrix:
        return np.asarray(pd.to_numeric(values).astype(float).fillna(missing), dtype=np.float64)

    return code


def _categories_of(reference: "pd.Series[Any]") -> Callable[["pd.Series[Any]"], Matrix]:
    known = {name: place for place, name in enumerate(reference.dropna().astype(str).value_counts().index[:CATEGORIES])}
    other, missing = len(known), len(known) + 1

    def code(values: "pd.Series[Any]") -> Matrix:
        coded = values.astype(str).map(known).fillna(other)
        return coded.where(values.notna(), missing).to_numpy(dtype=float)

    return code
