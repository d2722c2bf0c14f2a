"""Encodes feature rows as a numeric matrix, identically in training, evaluation and serving."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from models.inputs import InvalidRows

#: Columns of a training frame that are neither features nor labels.
NOT_FEATURES = ("event_timestamp", "split")
#: Least share of rows of an encoded category: excludes noise and identifiers.
MIN_SHARE = 0.005
MAX_CATEGORIES = 32

Matrix = npt.NDArray[np.float32]


def feature_columns(frame: pd.DataFrame, entity: str, label: Iterable[str]) -> list[str]:
    """The feature columns of a training frame, sorted by name."""
    return sorted(set(frame.columns) - {entity, *label, *NOT_FEATURES})


def require(rows: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise `InvalidRows` with the first of `columns` that is missing in `rows`."""
    there = rows.columns
    for name in columns:
        if name not in there:
            raise InvalidRows(name, "a column of this name", "no such column")


@dataclass(frozen=True)
class Encoder:
    """One-hot encoder of raw columns.

    Numbers are unchanged, booleans become 0 and 1, both with NaN where missing; a category becomes a 0/1 column for
    each of its values, all 0 where the value is missing, rare or unknown. Columns without values in training are
    ignored.
    """

    numbers: tuple[str, ...]
    booleans: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, rows: pd.DataFrame) -> Self:
        """Fit the encoding of a frame of feature columns. Raises `InvalidRows` on a column of an unsupported type."""
        numbers, booleans, categories = [], [], {}
        for name in sorted(rows.columns):
            column = rows[name].dropna()
            if column.empty:
                continue
            kind = types.infer_dtype(column) if column.dtype == object else ""
            if types.is_bool_dtype(column.dtype) or kind == "boolean":
                booleans.append(name)
            elif types.is_numeric_dtype(column.dtype) or kind in ("integer", "floating", "mixed-integer-float"):
                numbers.append(name)
            elif isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype) or kind == "string":
                categories[name] = _frequent(column)
            else:
                raise InvalidRows(name, "numbers, booleans or categories (text)", kind or str(column.dtype))
        return cls(tuple(numbers), tuple(booleans), {name: values for name, values in categories.items() if values})

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that `encode` reads."""
        return (*self.numbers, *self.booleans, *self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each column of the matrix; `plan=gold` for a category's value."""
        values = (f"{name}={value}" for name, known in self.categories.items() for value in known)
        return (*self.numbers, *self.booleans, *values)

    @property
    def origins(self) -> tuple[str, ...]:
        """The raw column of each column of the matrix, to sum effects by."""
        repeated = (name for name, known in self.categories.items() for _ in known)
        return (*self.numbers, *self.booleans, *repeated)

    def encode(self, rows: pd.DataFrame) -> Matrix:
        """A float32 matrix with one column for each of `names`.

        Raises `InvalidRows` where a column is missing, a value has the wrong type, or a number is not finite.
        """
        require(rows, self.columns)
        plain = len(self.numbers) + len(self.booleans)
        matrix = np.zeros((len(rows), plain + sum(map(len, self.categories.values()))), dtype=np.float32)
        if self.numbers:
            matrix[:, : len(self.numbers)] = _numbers(rows[list(self.numbers)])
        for place, name in enumerate(self.booleans, start=len(self.numbers)):
            matrix[:, place] = _boolean(rows[name])
        start = plain
        for name, known in self.categories.items():
            codes = _codes(rows[name], self._places[name])
            seen = np.flatnonzero(codes >= 0)
            matrix[seen, start + codes[seen]] = 1
            start += len(known)
        return matrix

    @cached_property
    def _places(self) -> dict[str, "pd.Index[str]"]:
        return {name: pd.Index(known) for name, known in self.categories.items()}

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "numbers": list(self.numbers),
            "booleans": list(self.booleans),
            "categories": {name: list(values) for name, values in self.categories.items()},
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The encoder from `to_dict`."""
        categories = {name: tuple(values) for name, values in saved["categories"].items()}
        return cls(tuple(saved["numbers"]), tuple(saved["booleans"]), categories)


def _frequent(column: "pd.Series[Any]") -> tuple[str, ...]:
    if isinstance(column.dtype, pd.CategoricalDtype) and not types.is_string_dtype(column.dtype.categories.dtype):
        raise InvalidRows(str(column.name), "categories that are text", column.dtype.categories.dtype)
    values, counts = np.unique(column.to_numpy(dtype=object).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]
    return tuple(sorted(str(values[i]) for i in order if counts[i] >= max(2, MIN_SHARE * len(column))))


def _numbers(block: pd.DataFrame) -> Matrix:
    if all(dtype.kind in "iuf" for dtype in block.dtypes):
        with np.errstate(over="ignore"):
            values = block.to_numpy(dtype=np.float32, na_value=np.nan)
    else:
        values = np.column_stack([_number(block[name]) for name in block])
    infinite = np.isinf(values)
    if infinite.any():
        row, place = np.argwhere(infinite)[0]
        raise InvalidRows(str(block.columns[place]), "a finite number", block.iat[row, place])
    return values


def _number(column: "pd.Series[Any]") -> Matrix:
    if column.dtype.kind not in "iuf":
        wrong = _first(column, lambda value: types.is_number(value) and not types.is_bool(value))
        if wrong is not None:
            raise InvalidRows(str(column.name), "a number", wrong)
    with np.errstate(over="ignore"):
        return column.to_numpy(dtype=np.float32, na_value=np.nan)


def _boolean(column: "pd.Series[Any]") -> Matrix:
    # pandas converts booleans with missing values to 0.0 and 1.0.
    if column.dtype.kind != "b" or types.is_extension_array_dtype(column.dtype):
        wrong = _first(column, lambda value: types.is_number(value) and value in (0, 1))
        if wrong is not None:
            raise InvalidRows(str(column.name), "true or false", wrong)
    return column.to_numpy(dtype=np.float32, na_value=np.nan)


def _codes(column: "pd.Series[Any]", known: "pd.Index[str]") -> npt.NDArray[np.intp]:
    """The index of each value in `known`, -1 where missing or unknown."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        places = known.get_indexer(column.cat.categories)
        return np.append(places, -1)[column.cat.codes.to_numpy()]
    values = column.to_numpy(dtype=object)
    if types.infer_dtype(values) not in ("string", "empty"):
        wrong = _first(column, lambda value: isinstance(value, str))
        if wrong is not None:
            raise InvalidRows(str(column.name), "a category (text)", wrong)
    return known.get_indexer(pd.Index(values, dtype=object))


def _first(column: "pd.Series[Any]", right: Callable[[Any], bool]) -> object | None:
    """The first non-missing value that is not `right`."""
    present = column.dropna()
    return next((value for value in present.tolist() if not right(value)), None)
