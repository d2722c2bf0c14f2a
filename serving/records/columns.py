"""Columns of a part: flat fields for queries, beside the exact bytes of each record and its hash."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pyarrow as pa

from features.records import COLUMNS, SCHEMA, TEXT, VERSIONS


def batch(chain: str, first: int, written: Sequence[bytes], hashes: Sequence[bytes]) -> Any:
    """Records of one chain as a `pyarrow.RecordBatch`; `first` is the sequence number of the first.

    Raises `ValueError` for an invalid record.
    """
    records = [orjson.loads(one) for one in written]
    if not all(isinstance(one, dict) and "logged_at" in one for one in records):
        raise ValueError("invalid record: it has no logged_at")
    about = [pa.repeat(chain, len(records)), pa.array(range(first, first + len(records)), pa.int64())]
    arrays = [_array([find(one) for one in records], kind) for kind, find in _FINDS]
    exact = [pa.array(written, TEXT), pa.array(hashes, pa.binary(32))]
    return pa.RecordBatch.from_arrays([*about, *arrays, *exact], schema=SCHEMA)


def _found(place: str) -> Callable[[Any], Any]:
    """A function that gets a field of a record; None where it is missing."""
    listed, _, inner = place.partition("[].")
    *outer, last = listed.split(".")

    def find(record: Any) -> Any:
        for name in outer:
            record = record.get(name)
            if not isinstance(record, dict):
                return None
        value = record.get(last)
        return [item[inner] for item in value] if inner and value is not None else value

    return find


def _versions(find: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Versions as the pairs of an Arrow map."""
    return lambda record: None if (found := find(record)) is None else list(found.items())


_FINDS = [(kind, _versions(_found(place)) if kind is VERSIONS else _found(place)) for _, kind, place in COLUMNS]


def _array(values: list[Any], kind: Any) -> Any:
    """Values as a column. Values of another type become null; the record itself keeps them."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.concat_arrays([_one(value, kind) for value in values])


def _one(value: Any, kind: Any) -> Any:
    try:
        return pa.array([value], kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.nulls(1, kind)
