"""YAML files that people write: read with the line of each field, so that an error names file, line and field."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
#: Most bytes of a file.
SIZE = 256 * 1024


class InvalidFile(ValueError):
    """A file that is not what it should be: its name, the line, the field and what was expected."""


#: libyaml's where it is there: ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def from_yaml(text: str) -> Any:
    """YAML as plain values. Raises `YAMLError`, which shows the place."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return yaml.safe_load(text)  # libyaml names the line, but does not show it


def read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The fields of a file, and the line of each by its path. Raises `InvalidFile`."""
    if path.stat().st_size > SIZE:
        raise InvalidFile(f"{path.name}: expected at most {SIZE} bytes")
    return fields(path.read_bytes(), path.name)


def fields(written: bytes, name: str) -> tuple[dict[str, Any], dict[str, int]]:
    """As `read`, of a file's content."""
    if len(written) > SIZE:
        raise InvalidFile(f"{name}: expected at most {SIZE} bytes")
    try:
        text = written.decode("utf-8-sig")
        found, node = from_yaml(text), yaml.compose(text, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise InvalidFile(f"{name}: expected YAML in UTF-8: {' '.join(str(broken).split())[:200]}") from broken
    if not isinstance(found, dict):
        raise InvalidFile(f"{name}: expected fields and their values, got {type(found).__name__}")
    lines = dict[str, int]()
    for field, line in _lines(node, ""):
        if field in lines:
            raise InvalidFile(f"{name}, line {line}: {field}: is in line {lines[field]} already")
        lines[field] = line
    return found, lines


def parsed(kind: type[Model], found: Mapping[str, Any], lines: Mapping[str, int], name: str) -> Model:
    """The fields as a model. Raises `InvalidFile` for the first that is wrong, with the nearest name for an unknown
    one."""
    try:
        return kind.model_validate_json(json.dumps(found, default=str))
    except ValidationError as broken:
        told = _told(kind, broken, lines, name)
    # Not from within: pydantic's errors keep the frames that raised them until the interpreter ends.
    raise InvalidFile(told)


def _told(kind: type[BaseModel], broken: ValidationError, lines: Mapping[str, int], name: str) -> str:
    first = min(broken.errors(include_url=False), key=lambda one: one["type"] == "missing")
    field = ".".join(map(str, first["loc"]))
    line = next((lines[one] for one in _upwards(field) if one in lines), 1)
    said = re.sub(r"^Value error, ", "", first["msg"])
    if first["type"] == "extra_forbidden":
        near = get_close_matches(str(first["loc"][-1]), _names(kind), 1)
        said = f"unknown field{f'; did you mean {near[0]}?' if near else ''}"
    return f"{name}, line {line}: {f'{field}: ' if field else ''}{said}"


def _names(kind: type[BaseModel]) -> list[str]:
    """The names of all fields of a model and of those in it."""
    schema = kind.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return [name for one in models for name in one.get("properties", {})]


def _upwards(field: str) -> Iterator[str]:
    while field:
        yield field
        field = field.rpartition(".")[0]


def _lines(node: Any, path: str) -> Iterator[tuple[str, int]]:
    """The line of each field by its path, from 1."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{path}.{key.value}" if path else str(key.value)
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield f"{path}.{place}", value.start_mark.line + 1
            yield from _lines(value, f"{path}.{place}")
