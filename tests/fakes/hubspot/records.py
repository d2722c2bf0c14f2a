"""Batches and searches of objects."""

import json
import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.fakes.hubspot.state import PROPERTIES, HubSpotState, Record


class RefusedInput(ValueError):
    """An input that is not written: category, message and property."""

    def __init__(self, category: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.category, self.message, self.name = category, message, name

    def body(self, trace: str = "") -> Record:
        """As an error of its own, or within a batch."""
        context: Record = {"propertyName": [self.name]} if self.name else {}
        context |= {"objectWriteTraceId": [trace]} if trace else {}
        return {"status": "error", "category": self.category, "message": self.message, "context": context}


def written(state: HubSpotState, kind: str, doing: str, one: Mapping[str, Any]) -> Record:
    """An input of an upsert or update, as a result."""
    properties = dict(one.get("properties") or {})
    key, by = str(one["id"]), one.get("idProperty")
    if doing == "upsert" and by:
        if PROPERTIES[kind].get(by) != "unique":
            raise RefusedInput("VALIDATION_ERROR", f"Property {by} is not unique", by)
        properties[by], key = key, state.by_unique(kind, by, key)
    elif key not in state.kept[kind]:
        raise RefusedInput("OBJECT_NOT_FOUND", f"Could not get {kind} {key}")
    _check(state, kind, key, properties)
    new = not key
    record = state.put(kind, key or state.new_id(), properties)
    trace = {"objectWriteTraceId": one["objectWriteTraceId"]} if "objectWriteTraceId" in one else {}
    return {**shown(record, properties), "new": new, **trace}


def _check(state: HubSpotState, kind: str, key: str, properties: Mapping[str, str]) -> None:
    for name, value in properties.items():
        is_a = PROPERTIES[kind].get(name)
        if is_a is None:
            raise RefusedInput("VALIDATION_ERROR", f'Property "{name}" does not exist', name)
        if name == "email" and "@" not in value:
            # HubSpot tells of values within the message, as JSON
            wrong = [{"isValid": False, "message": f"Email address {value} is invalid", "name": name}]
            said = json.dumps(wrong, separators=(",", ":"))
            raise RefusedInput("VALIDATION_ERROR", f"Property values were not valid: {said}")
        if is_a == "number" and value and not value.lstrip("-").replace(".", "", 1).isdigit():
            raise RefusedInput("VALIDATION_ERROR", f"{value} was not a valid number", name)
        other = state.by_unique(kind, name, value) if is_a == "unique" else ""
        if other and other != key:
            raise RefusedInput("CONFLICT", f"Contact already exists. Existing ID: {other}", name)


def shown(record: Record, properties: Any = (), histories: Any = ()) -> Record:
    """An object as answers hold it: with the properties that were asked for, null where they have no value."""
    wanted = {name: record["properties"].get(name) or None for name in (*properties, "hs_object_id")}
    found = {name: record[name] for name in ("id", "createdAt", "updatedAt", "archived")} | {"properties": wanted}
    if histories:
        found["propertiesWithHistory"] = {name: record["history"].get(name, []) for name in histories}
    return found


_TESTS: Mapping[str, Callable[[float, float], bool]] = {"GT": operator.gt, "GTE": operator.ge}


def search(state: HubSpotState, kind: str, said: Mapping[str, Any]) -> Record:
    """Filters of one group, joined by AND; sorted by id."""
    filters = said["filterGroups"][0]["filters"]
    found = [one for one in state.kept[kind].values() if all(_passes(one["properties"], rule) for rule in filters)]
    found.sort(key=lambda one: int(one["id"]))
    page = found[: said.get("limit", 10)]
    return {"total": len(found), "results": [shown(one, said.get("properties") or ()) for one in page]}


def _passes(properties: Mapping[str, str], rule: Mapping[str, Any]) -> bool:
    value = properties.get(rule["propertyName"]) or ""
    if rule["operator"] == "HAS_PROPERTY":
        return bool(value)
    if rule["operator"] == "EQ":
        return value == rule["value"]
    if rule["operator"] == "BETWEEN":
        return float(rule["value"]) <= _number(value) <= float(rule["highValue"])
    return _TESTS[rule["operator"]](_number(value), float(rule["value"]))


def _number(value: str) -> float:
    return datetime.fromisoformat(value).timestamp() * 1000 if "T" in value else float(value or 0)
