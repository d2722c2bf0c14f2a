"""Encodes feature rows of any type as a numeric matrix for two-sample tests, based on the reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.movement import Movement

Matrix = npt.NDArray[np.float64]
Code = Callable[["pd.Series[Any]"], Matrix]
#: Most categories; rarer ones are tested as one, as each cell needs some rows.
CATEGORIES = 30
#: Codes of a column with expected movement, and of one without values in the reference.
POSSIBLE, IMPOSSIBLE, MISSING = 0.0, 1.0, 2.0


@dataclass(frozen=True)
class Coding:
    """The encoding of the columns of a reference.

    A missing number becomes a value below all others, and a missing category a separate one, so that missing values are
    drift. Columns with expected movement are only encoded as missing, valid or invalid. Columns of lists or times are
    left out.

    Attributes:
        missing: by column, the code of a missing value.
    """

    columns: tuple[str, ...]
    categorical: tuple[int, ...]
    codes: tuple[Code, ...]
    missing: tuple[float, ...]

    @classmethod
    def of(cls, reference: pd.DataFrame, moving: Mapping[str, Movement] | None = None) -> "Coding":
        """The encoding of `reference`; `moving` are its columns with expected movement."""
        kinds = {str(name): kind(reference[name]) for name in reference}
        columns = tuple(name for name in kinds if kinds[name])
        moved = {name: movement for name, movement in (moving or {}).items() if kinds.get(name) == "number"}
        categorical = tuple(place for place, name in enumerate(columns) if kinds[name] != "number" or name in moved)
        codes, missing = [], []
        for name in columns:
            code, absent = _coded(reference[name], str(kinds[name]), moved.get(name))
            codes.append(code)
            missing.append(absent)
        return cls(columns, categorical, tuple(codes), tuple(missing))

    def encode(self, rows: pd.DataFrame) -> Matrix:
        """Encode `rows`, one matrix column for each of `columns`. Raises `KeyError` with a missing column."""
        if not self.columns:
            return np.empty((len(rows), 0))
        return np.column_stack([code(rows[name]) for name, code in zip(self.columns, self.codes, strict=True)])


def kind(values: "pd.Series[Any]") -> str | None:
    """`number`, `category`, `empty` without values, or None for types that cannot be tested."""
    if pd.api.types.is_bool_dtype(values):
        return "category"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    present = values.dropna()
    if present.empty:
        return "empty"
    if present.map(lambda value: isinstance(value, str | bool | np.bool_)).all():
        return "category"
    return "number" if present.map(lambda value: isinstance(value, int | float | np.number)).all() else None


def numbers(values: "pd.Series[Any]") -> Matrix:
    """Values as numbers, NaN where missing or not a number."""
    return np.asarray(pd.to_numeric(values, errors="coerce").astype(float).to_numpy(), dtype=np.float64)


def names(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values as category names, None where missing. Integers have one form for every type, and booleans are 1 or 0, as
    types change in files and JSON."""
    if pd.api.types.is_numeric_dtype(values):
        values = values.astype(object)
    return values.map(_name, na_action="ignore")


def _name(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return str(int(value)) if isinstance(value, float | np.floating) and value.is_integer() else str(value)


def _coded(reference: "pd.Series[Any]", of: str, movement: Movement | None) -> tuple[Code, float]:
    if of == "empty":
        return _presence, MISSING
    if movement is not None:
        return partial(_possible, *_limits(numbers(reference), movement)), MISSING
    return _numbers_below(reference) if of == "number" else _categories_of(reference)


def _presence(values: "pd.Series[Any]") -> Matrix:
    return np.where(values.isna(), MISSING, POSSIBLE)


def _limits(reference: Matrix, movement: Movement) -> tuple[float, float]:
    """Valid range of a column with expected movement: as declared for a cycle, else at least 0 if the reference is."""
    positive = movement.kind != "clock" and bool((reference[~np.isnan(reference)] >= 0).all())
    low = 0.0 if positive else movement.low
    return (-np.inf if low is None else low), (np.inf if movement.high is None else movement.high)


def _possible(low: float, high: float, values: "pd.Series[Any]") -> Matrix:
    found = numbers(values)
    slack = 1e-9  # of a sine
    return np.select([np.isnan(found), (found < low - slack) | (found > high + slack)], [MISSING, IMPOSSIBLE], POSSIBLE)


def _numbers_below(reference: "pd.Series[Any]") -> tuple[Code, float]:
    known = numbers(reference)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    missing = low - (high - low) - 1.0

    def code(values: "pd.Series[Any]") -> Matrix:
        found = numbers(values)
        return np.where(np.isnan(found), missing, found)

    return code, missing


def _categories_of(reference: "pd.Series[Any]") -> tuple[Code, float]:
    known = {name: place for place, name in enumerate(names(reference.dropna()).value_counts().index[:CATEGORIES])}
    other, missing = len(known), len(known) + 1

    def code(values: "pd.Series[Any]") -> Matrix:
        coded = names(values).map(known).fillna(other)
        return np.asarray(coded.where(values.notna(), missing), dtype=np.float64)

    return code, float(missing)
