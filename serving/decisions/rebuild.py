"""Records to JSON and back, equal to the last bit."""

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
    """A record as JSON, keys in the order of its fields. Numbers that are not finite become null."""
    return orjson.dumps(record)


def from_json(kind: type[Record], written: bytes) -> Record:
    """The record that `to_json` wrote. Raises `TypeError` for a field it does not have, `ValueError` for bad JSON."""
    return from_plain(kind, orjson.loads(written))


def from_plain(kind: type[Record], plain: Mapping[str, Any]) -> Record:
    """The record from the mapping that its JSON reads as."""
    return cast(Record, _reader(cast(Hashable, kind))(plain))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What turns a plain value into one of this type; an opportunity is of the class of its kind."""
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
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(plain: Mapping[str, Any]) -> Any:
        return kind(**{name: readers.get(name, _same)(value) for name, value in plain.items()})

    return read


def _maybe(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


def _same(value: Any) -> Any:
    return value
