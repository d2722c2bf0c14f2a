"""Fields of a request: one declaration that both checks a value and describes it in the OpenAPI schema."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

Schema = dict[str, Any]

#: No control characters: an id is part of keys in the stores, and of lines in logs.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_plain = re.compile(r"[^\x00-\x1f\x7f]*").fullmatch


class Invalid(ValueError):
    """A value that a request may not have: which field, what was expected there, and what came."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got)
        self.field, self.expected, self.got = field, expected, shown if len(shown) <= 80 else f"{shown[:77]}..."
        super().__init__(f"{field}: expected {expected}, got {self.got}")


@dataclass(frozen=True, slots=True)
class Field:
    """A kind of value.

    Attributes:
        expected: in words.
        right: whether a value is one.
        schema: the same as JSON Schema.
        read: what is made of a right value.
    """

    expected: str
    right: Callable[[Any], bool]
    schema: Schema
    read: Callable[[Any], Any] | None = None


def text(most: int) -> Field:
    """Text of 1 to `most` characters, none of them a control character."""
    return Field(
        f"text of 1 to {most} characters, without control characters",
        lambda value: isinstance(value, str) and 0 < len(value) <= most and _plain(value) is not None,
        {"type": "string", "minLength": 1, "maxLength": most, "pattern": _PLAIN},
    )


def number(least: float, most: float) -> Field:
    """A number within bounds, read as a float."""
    return Field(
        f"a number from {least:g} to {most:g}",
        lambda value: _number(value) and least <= value <= most,
        {"type": "number", "minimum": least, "maximum": most},
        float,
    )


def whole(least: int, most: int) -> Field:
    """A whole number within bounds."""
    return Field(
        f"a whole number from {least} to {most}",
        lambda value: _number(value) and value == int(value) and least <= value <= most,
        {"type": "integer", "minimum": least, "maximum": most},
        int,
    )


def one_of(*names: str) -> Field:
    """One of these texts."""
    known = frozenset(names)
    return Field(
        f"one of {', '.join(names)}",
        lambda value: isinstance(value, str) and value in known,
        {"type": "string", "enum": list(names)},
    )


def maybe(field: Field) -> Field:
    """This or null."""
    read = field.read
    return Field(
        f"{field.expected}, or null",
        lambda value: value is None or field.right(value),
        {"anyOf": [field.schema, {"type": "null"}]},
        None if read is None else lambda value: None if value is None else read(value),
    )


def scalars(entries: int, most: int) -> Field:
    """An object of up to `entries` plain values by name; texts of up to `most` characters."""
    value = {
        "anyOf": [{"type": "number"}, {"type": "string", "maxLength": most}, {"type": "boolean"}, {"type": "null"}]
    }
    return Field(
        f"an object of up to {entries} numbers, texts, booleans or nulls by name",
        lambda value: (
            isinstance(value, dict) and len(value) <= entries and all(_scalar(*one, most) for one in value.items())
        ),
        {
            "type": "object",
            "maxProperties": entries,
            "propertyNames": {"maxLength": 128},
            "additionalProperties": value,
        },
    )


def names(entries: int, most: int) -> Field:
    """A list of up to `entries` texts of up to `most` characters, read as a tuple."""
    one = text(most)
    return Field(
        f"a list of up to {entries} texts of 1 to {most} characters",
        lambda value: isinstance(value, list) and len(value) <= entries and all(map(one.right, value)),
        {"type": "array", "maxItems": entries, "items": one.schema},
        tuple,
    )


def shares(dimensions: Sequence[str], entries: int, most: int) -> Field:
    """By dimension, an object of up to `entries` shares (0 to 1) by name."""
    name, share = text(most), number(0, 1)
    by_name = {
        "type": "object",
        "maxProperties": entries,
        "propertyNames": name.schema,
        "additionalProperties": share.schema,
    }

    def right(value: object) -> bool:
        return (
            isinstance(value, dict)
            and len(value) <= entries
            and all(map(name.right, value))
            and all(map(share.right, value.values()))
        )

    return Field(
        f"an object of shares from 0 to 1 by name, by {', '.join(dimensions)}",
        lambda value: isinstance(value, dict) and value.keys() <= set(dimensions) and all(map(right, value.values())),
        {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(dimensions, by_name)},
    )


class Form:
    """An object of these fields and no others.

    Args:
        required: names of those that must be there.
        example: of the whole, for the OpenAPI page.
    """

    def __init__(self, fields: Mapping[str, Field], required: tuple[str, ...], example: Schema) -> None:
        self._fields, self._required = dict(fields), required
        self.schema: Schema = {
            "type": "object",
            "additionalProperties": False,
            "required": list(required),
            "properties": {name: field.schema for name, field in fields.items()},
            "example": example,
        }

    def read(self, given: object, where: str = "") -> dict[str, Any]:
        """The values by name. Raises `Invalid` naming the field, behind `where`."""
        if not isinstance(given, dict):
            raise Invalid(where.rstrip(".") or "body", "an object", given)
        values = {}
        for name, value in given.items():
            field = self._fields.get(name)
            if field is None:
                raise Invalid(f"{where}{name}"[:200], f"one of the fields {', '.join(self._fields)}", value)
            if not field.right(value):
                raise Invalid(where + name, field.expected, value)
            values[name] = value if field.read is None else field.read(value)
        for name in self._required:
            if name not in values:
                raise Invalid(where + name, self._fields[name].expected, None)
        return values


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _scalar(name: str, value: object, most: int) -> bool:
    if len(name) > 128:
        return False
    return len(value) <= most if isinstance(value, str) else value is None or isinstance(value, bool) or _number(value)
