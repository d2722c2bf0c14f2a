"""Columns of a part: flat fields for queries, beside the exact bytes of each record and its hash."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from features.records import COLUMNS, NUMBER, SCHEMA, TEXT, VERSIONS

#: The values of a record's columns, grouped by object.
Row = tuple[Any, ...]


class LoggedRecord(NamedTuple):
    """A record that is being written.

    Attributes:
        line: its JSON.
        source: the dataclass that the line was made from, if known.
        row: the values of its columns, if known without parsing the line.
    """

    line: bytes
    source: Any = None
    row: Row | None = None


def batch(
    chain: str, first: int, written: Sequence[bytes], hashes: Sequence[bytes], rows: Sequence[Row | None] | None = None
) -> Any:
    """Records of one chain as a `pyarrow.RecordBatch`; `first` is the sequence number of the first.

    Raises `ValueError` for an invalid record.

    Args:
        rows: `row` of each record, or None to parse its bytes.
    """
    known = zip(written, rows or [None] * len(written), strict=True)
    values = zip(*(row(orjson.loads(line)) if one is None else one for line, one in known), strict=True)
    columns = dict(zip(_NAMES, values, strict=True))
    if None in columns["logged_at"]:
        raise ValueError("invalid record: it has no logged_at")
    about = [pa.repeat(chain, len(written)), pa.array(range(first, first + len(written)), pa.int64())]
    arrays = [_array(columns[name], kind) for name, kind, _ in COLUMNS]
    exact = [pa.array(written, TEXT), pa.array(hashes, pa.binary(32))]
    return pa.RecordBatch.from_arrays([*about, *arrays, *exact], schema=SCHEMA)


def row(record: Any) -> Row:
    """The values of a record's columns; None where one is missing.

    Args:
        record: the dataclass that the record was written from, or its parsed JSON.
    """
    found: list[Any] = []
    for path, names, all_of in _PLACES:
        there = record
        for name in path:
            there = there.get(name) if isinstance(there, dict) else getattr(there, name, None)
        if there is None:
            found += [None] * len(names)
        elif isinstance(there, list | tuple):
            found.append([_field(one, names[0]) for one in there])
        elif isinstance(there, dict):
            found += map(there.get, names)
        else:
            try:
                found += all_of(there)
            except AttributeError:  # objects of this class lack some of the fields
                found += [getattr(there, name, None) for name in names]
    return tuple(found)


def named(record: Any) -> dict[str, Any]:
    """The values of a record's columns by name, see `row`."""
    return dict(zip(_NAMES, row(record), strict=True))


def _field(one: Any, name: str) -> Any:
    return one.get(name) if isinstance(one, dict) else getattr(one, name, None)


def _getter(names: Sequence[str]) -> Callable[[Any], Iterable[Any]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda there: (get(there),)


_BY_OBJECT = sorted((*place.replace("[]", "").rpartition(".")[::2], name) for name, _, place in COLUMNS)
#: Columns by object: the path to it, the fields, and a function that gets all of them.
_PLACES = [
    (outer.split(".") if outer else [], names, _getter(names))
    for outer, those in groupby(_BY_OBJECT, lambda one: one[0])
    if (names := [field for _, field, _ in those])
]
#: The names of a row's values.
_NAMES = [name for *_, name in _BY_OBJECT]


def _array(values: Sequence[Any], kind: Any) -> Any:
    """Values as a column. Values of another type become null; the record itself keeps them."""
    try:
        return _typed(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError):
        return pa.concat_arrays([_one(value, kind) for value in values])


def _one(value: Any, kind: Any) -> Any:
    try:
        return _typed([value], kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError):
        return pa.nulls(1, kind)


def _typed(values: Sequence[Any], kind: Any) -> Any:
    """Values as an array: mappings as pairs; numbers that are not finite as null, as in JSON."""
    if kind is VERSIONS:
        values = [None if one is None else list(one.items()) for one in values]
    array = pa.array(values, kind)
    return pc.if_else(pc.is_finite(array), array, None) if kind is NUMBER else array
