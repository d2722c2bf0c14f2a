"""Parses requests to frames of typed feature rows; errors name the field."""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from kserve.protocol.infer_type import InferInput, InferRequest

from models.inputs import EXPECTED, InvalidRows, Kind, is_right
from serving.inference.values import is_unicode

Values = Sequence[Any] | npt.NDArray[Any]

#: Kinds of values and their tensor type; candidates are a JSON list.
DATATYPES: Mapping[Kind, str] = {
    "number": "FP64",
    "boolean": "BOOL",
    "vector": "FP64",
    **dict.fromkeys(("category", "text", "uri", "candidates"), "BYTES"),
}
#: Kinds that each datatype can carry.
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "BOOL": ("boolean",),
    "BYTES": ("category", "text", "uri", "candidates"),
    **dict.fromkeys(("FP16", "FP32", "FP64"), ("number", "vector")),
    **dict.fromkeys((f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)), ("number", "vector")),
}


def known_datatype(name: str, datatype: str) -> None:
    """Raises `InvalidRows` for a datatype that is unknown or unsupported."""
    if datatype not in KINDS:
        raise InvalidRows(name, f"a datatype among {', '.join(KINDS)}", datatype)


@dataclass(frozen=True)
class ParsedRequest:
    """A parsed request: feature rows, or entity ids whose features are looked up and joined with `context`."""

    ids: list[str] | None
    rows: pd.DataFrame | None
    context: pd.DataFrame | None = None


@dataclass(frozen=True)
class InputSchema:
    """A model's inputs: the entity key, None without one, and the feature columns by kind; `context` are those that
    requests always contain."""

    entity: str | None
    columns: Mapping[str, Kind]
    context: tuple[str, ...] = ()

    def read(self, payload: object) -> ParsedRequest:
        """Parse a V2 request or a V1 body to rows or ids. Raises `InvalidRows` naming the invalid field."""
        return self.parse(self._tensors(payload) if isinstance(payload, InferRequest) else _instances(payload))

    def parse(self, given: Mapping[str, Values]) -> ParsedRequest:
        """Parse values by column, as `read` does."""
        lengths = {name: len(values) for name, values in given.items()}
        if not lengths or 0 in lengths.values():
            raise InvalidRows(next(iter(lengths or self.columns)), "at least one value", "none")
        count = max(lengths.values())
        for name, length in lengths.items():
            if length != count:
                raise InvalidRows(name, f"{count} values, like the other features", length)
        ids = None
        if self.entity is not None and self.entity in given:
            ids = self._ids(self.entity, given[self.entity])
            given = {**given, self.entity: ids} if self.entity in self.columns else given
        known = [name for name in self.columns if name not in self.context]
        if ids is not None and not any(name in given for name in known):
            return ParsedRequest(ids, None, self._frame(self.context, given) if self.context else None)
        return ParsedRequest(ids, self._frame(self.columns, given))

    def _tensors(self, request: InferRequest) -> dict[str, Values]:
        found: dict[str, Values] = {}
        for tensor in request.inputs:
            if tensor.name in found:
                raise InvalidRows(tensor.name, "one tensor of this name", "several")
            self._fits(tensor)
            found[tensor.name] = _values(tensor, self.columns.get(tensor.name) == "vector")
        return found

    def _fits(self, tensor: InferInput) -> None:
        """Raises `InvalidRows` where a datatype does not match the feature."""
        known_datatype(tensor.name, tensor.datatype)
        kinds: set[Kind] = {self.columns[tensor.name]} if tensor.name in self.columns else set()
        kinds = {"category", "number"} if tensor.name == self.entity else kinds
        if kinds and not kinds & set(KINDS[tensor.datatype]):
            expected = " or ".join(name for name, carried in KINDS.items() if kinds & set(carried))
            raise InvalidRows(tensor.name, f"datatype {expected}", tensor.datatype)

    def _frame(self, names: Iterable[str], given: Mapping[str, Values]) -> pd.DataFrame:
        """A frame from columns; numbers first, in one block, as building it by column is slower than predicting."""
        columns = {name: self.columns[name] for name in names}
        for name, kind in columns.items():
            if name not in given:
                raise InvalidRows(name, EXPECTED[kind], "no such feature in the request")
        numbers = [name for name, kind in columns.items() if kind == "number"]
        others = {name: column(name, kind, given[name]) for name, kind in columns.items() if kind != "number"}
        if not numbers:
            return pd.DataFrame(others)
        frame = pd.DataFrame(_matrix(numbers, given), columns=numbers)
        return pd.concat([frame, pd.DataFrame(others)], axis=1) if others else frame

    def _ids(self, entity: str, values: Values) -> list[str]:
        found = [_text(entity, value) if isinstance(value, bytes) else value for value in values]
        for value in found:
            if not _is_id(value):
                raise InvalidRows(entity, "an id (text or a whole number)", value)
        return [str(value) for value in found]


def column(name: str, kind: Kind, values: Values) -> npt.NDArray[Any]:
    """Values of one feature as an array. Raises `InvalidRows`.

    A missing value is `null` in JSON, and NaN in a binary tensor. The token NaN is not JSON: it comes from a fault of
    the client, such as a division by zero, and is refused.
    """
    if kind == "number":
        return _numbers(name, values)
    if kind == "vector":
        return _vectors(name, values)
    decoded = [_text(name, value) if isinstance(value, bytes) else value for value in values]
    if kind == "candidates":
        decoded = [_listed(name, value) if isinstance(value, str) else value for value in decoded]
    return _of(name, kind, decoded)


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return is_unicode(value)
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and -(2**63) <= value < 2**64  # type: ignore[operator]


def _matrix(names: list[str], given: Mapping[str, Values]) -> npt.NDArray[np.float64]:
    """Numeric columns as a matrix; validated together, and by column only to name a fault."""
    columns = [given[name] for name in names]
    if all(isinstance(values, list) for values in columns):
        types = set(map(type, chain.from_iterable(columns)))
        if types <= {int, float, NoneType}:
            with suppress(OverflowError):
                matrix = np.array(columns, dtype=np.float64).T
                if np.isfinite(matrix).sum() + sum(list(values).count(None) for values in columns) == matrix.size:
                    return matrix
    return np.column_stack([_numbers(name, values) for name, values in zip(names, columns, strict=True)])


def _numbers(name: str, values: Values) -> npt.NDArray[np.float64]:
    if isinstance(values, np.ndarray):
        return _sent_numbers(name, values)
    for value in values:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InvalidRows(name, EXPECTED["number"], value)
    try:
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    except OverflowError as large:
        raise InvalidRows(name, "a finite number", "one beyond 1e308") from large
    for value, finite in zip(values, np.isfinite(numbers), strict=True):
        if value is not None and not finite:
            raise InvalidRows(name, EXPECTED["number"], value)
    return numbers


def _sent_numbers(name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if values.dtype.kind not in "iuf":
        raise InvalidRows(name, EXPECTED["number"], values.flat[0])
    infinite = np.isinf(values)
    if infinite.any():
        raise InvalidRows(name, "a finite number", values[infinite][0])
    return values.astype(np.float64)


def _of(name: str, kind: Kind, values: Values) -> npt.NDArray[Any]:
    for value in values:
        if value is not None and not (is_right(kind, value) and _is_unicode(value)):
            raise InvalidRows(name, EXPECTED[kind], value)
    if kind == "boolean" and all(value is not None for value in values):
        return np.array(values, dtype=bool)
    return _objects(values)


def _vectors(name: str, values: Values) -> npt.NDArray[Any]:
    """Vectors; a row of NaN is a missing vector, as binary tensors have no null."""
    if isinstance(values, np.ndarray):
        values = [None if np.isnan(row).all() else row for row in values.astype(np.float64)]
    found = _of(name, "vector", values)
    return _objects([None if value is None else np.asarray(value, dtype=np.float64) for value in found])


def _objects(values: Values) -> npt.NDArray[Any]:
    """An array of objects, which may be lists."""
    found = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):  # assigned at once, lists of equal length would become a matrix
        found[place] = value
    return found


def _is_unicode(value: Any) -> bool:
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return all(is_unicode(text) for text in texts if isinstance(text, str))


def _listed(name: str, value: str) -> object:
    """Parse JSON in a tensor; empty text is a missing value."""
    try:
        return json.loads(value) if value else None
    except ValueError as broken:
        raise InvalidRows(name, f"{EXPECTED['candidates']}, as JSON", value) from broken


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as broken:
        raise InvalidRows(name, "text in UTF-8", value) from broken


def _values(tensor: InferInput, vectors: bool = False) -> Values:
    """Values of one tensor: one per row of shape [n] or [n, 1], or vectors of shape [n, size]."""
    expected = f"{tensor.datatype} values of shape {'[n, size]' if vectors else '[n] or [n, 1]'}"
    shape = list(tensor.shape)
    right = len(shape) == 2 and shape[1] > 0 if vectors else shape[1:] in ([], [1]) and len(shape) in (1, 2)
    if not right or shape[0] < 0:
        raise InvalidRows(tensor.name, expected, f"shape {shape[:8]}")
    size = shape[0]
    if tensor._raw_data is not None:
        try:
            return np.asarray(tensor.as_numpy()).reshape(shape if vectors else -1)
        except (ValueError, struct.error) as broken:
            raise InvalidRows(tensor.name, expected, f"{len(tensor._raw_data)} bytes") from broken
    data: list[Any] = tensor.data
    if data and isinstance(data[0], list):
        data = [value for part in data if isinstance(part, list) for value in part]
    size = size * shape[1] if vectors else size
    if len(data) != size:
        raise InvalidRows(tensor.name, f"{size} values, like its shape", len(data))
    return [data[start : start + shape[1]] for start in range(0, size, shape[1])] if vectors else data


def _instances(body: object) -> dict[str, Values]:
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list) or not all(isinstance(row, dict) for row in instances):
        raise InvalidRows("instances", "a list of objects, feature to value", type(instances or body).__name__)
    names = list(dict.fromkeys(name for row in instances for name in row))
    for name in names:
        for row in instances:
            if name not in row:
                raise InvalidRows(name, "a value in each instance (null where it is missing)", "an instance without it")
    return {name: [row[name] for row in instances] for name in names}
