"""Converts records to JSON and back without loss."""

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

from serving.decisions.kinds import kinds
from serving.decisions.records import Opportunity

Record = TypeVar("Record")


def to_json(record: object) -> bytes:
    """A record as JSON, with keys in field order. Numbers that are not finite become null."""
    return orjson.dumps(record)


def from_json(kind: type[Record], written: bytes) -> Record:
    """Parse the JSON of `to_json`. Raises `TypeError` for an unknown field, `ValueError` for invalid JSON."""
    return from_plain(kind, orjson.loads(written))


def from_plain(kind: type[Record], plain: Mapping[str, Any]) -> Record:
    """The record from its parsed JSON."""
    return cast(Record, _reader(cast(Hashable, kind))(plain))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """A function from plain values to this type; an opportunity gets the class of its kind."""
    if kind is Opportunity:
        return lambda plain: _record(cast(Hashable, kinds()[plain.get("asked", "bid")].request))(plain)
    if is_dataclass(kind):
        return _record(cast(Any, kind))
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        readers = [_reader(cast(Hashable, one)) for one in inner if is_dataclass(one)]
        return _maybe(readers[0]) if readers else _same
    if origin is tuple:
        item = _reader(inner[0])
        return lambda values: tuple(item(value) for value in values)
    if origin is Mapping:
        item = _reader(inner[1])
        return dict if item is _same else lambda values: {name: item(value) for name, value in values.items()}
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return kind
    return _same


@cache
def _record(kind: type) -> Callable[[Any], Any]:
    readers = [(name, _reader(hint)) for name, hint in get_type_hints(kind).items()]
    readers = [(name, reader) for name, reader in readers if reader is not _same]
    if not readers:
        return lambda plain: kind(**plain)

    def read(plain: Mapping[str, Any]) -> Any:
        values = dict(plain)
        for name, reader in readers:
            if name in values:
                values[name] = reader(values[name])
        return kind(**values)

    return read


def _maybe(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


def _same(value: Any) -> Any:
    return value
