"""Input types of models, and the error for invalid rows."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.fetch import scheme_of

Matrix = npt.NDArray[np.float64]
#: A `category` is text with few values; `candidates` is the list of texts per row that a model chooses from.
Kind = Literal["number", "boolean", "category", "text", "vector", "uri", "candidates"]
EXPECTED: Mapping[Kind, str] = {
    "number": "a finite number or null",
    "boolean": "true, false or null",
    "category": "text or null",
    "text": "text or null",
    "vector": "a list of finite numbers or null",
    "uri": "a URI or null",
    "candidates": "a list of texts, one at least, or null",
}


class InvalidRows(ValueError):
    """An invalid feature row: names the field, the expected and the actual value."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got.item() if isinstance(got, np.generic) else got)
        super().__init__(f"feature '{field}': expected {expected}, got {shown if len(shown) < 200 else shown[:200]}")
        self.field, self.expected, self.got = field, expected, got


def kind_of(dtype: str) -> Kind:
    """The default kind of a column of this pandas dtype."""
    if dtype.lower().startswith(("float", "int", "uint")):
        return "number"
    return "boolean" if dtype.startswith("bool") else "category"


def texts(rows: pd.DataFrame, name: str, kind: Literal["text", "uri"] = "text") -> list[str | None]:
    """The texts of a column, None where missing. Raises `InvalidRows`."""
    return [None if is_missing(value) else _right(name, kind, value) for value in _column(rows, name)]


def candidates(rows: pd.DataFrame, name: str) -> list[list[str]]:
    """The candidates of each row; empty where missing. Raises `InvalidRows`."""
    return [[] if is_missing(value) else list(_right(name, "candidates", value)) for value in _column(rows, name)]


def vectors(rows: pd.DataFrame, name: str, size: int) -> Matrix:
    """A column of vectors as a matrix (rows, size), NaN where missing. Raises `InvalidRows`."""
    matrix = np.full((len(rows), size), np.nan)
    for place, value in enumerate(_column(rows, name)):
        if not is_missing(value):
            if len(_right(name, "vector", value)) != size:
                raise InvalidRows(name, f"{size} numbers", f"{len(value)} numbers")
            matrix[place] = value
    return matrix


def is_right(kind: Kind, value: Any) -> bool:
    """Whether a non-missing value is of this kind."""
    if kind in ("category", "text"):
        return isinstance(value, str)
    if kind == "uri":
        return isinstance(value, str) and scheme_of(value) != ""
    if kind == "boolean":
        return isinstance(value, bool | np.bool_)
    listed = isinstance(value, list | tuple | np.ndarray)
    if kind == "candidates":
        return listed and len(value) > 0 and all(isinstance(one, str) for one in value)
    if kind == "vector":
        return listed and len(value) > 0 and all(_is_number(one) for one in value)
    return _is_number(value)


def is_missing(value: Any) -> bool:
    """Whether a value is None or NaN."""
    return value is None or value is pd.NA or (isinstance(value, float) and bool(np.isnan(value)))


def is_listed(column: "pd.Series[Any]") -> bool:
    """Whether its values are lists: of numbers, by a column of no kind that is declared."""
    return any(isinstance(value, list | tuple | np.ndarray) for value in column.head(100))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _column(rows: pd.DataFrame, name: str) -> list[Any]:
    if name not in rows:
        raise InvalidRows(name, "a column of this name", "no such column")
    return rows[name].tolist()


def _right(name: str, kind: Kind, value: Any) -> Any:
    if not is_right(kind, value):
        raise InvalidRows(name, EXPECTED[kind], value)
    return value
