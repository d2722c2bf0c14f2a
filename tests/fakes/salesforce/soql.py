"""The part of SOQL that integrations use: conditions joined by AND, related records, one level of inner queries."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.fakes.salesforce.state import Record, SalesforceState

_QUERY = re.compile(r"SELECT (?P<columns>.+) FROM (?P<kind>\w+)(?: WHERE (?P<where>.+?))?(?: LIMIT (?P<limit>\d+))?$")
_INNER = re.compile(r"\(SELECT (?P<columns>[^()]+) FROM (?P<kind>\w+)(?: WHERE (?P<where>[^()]+))?\)")
_TEXT = r"'(?:[^'\\]|\\.)*'"
_CONDITION = re.compile(rf"(?P<field>[\w.]+) (?P<sign>IN|=|!=|>=|<) (?P<value>\((?:{_TEXT}(?:, )?)+\)|{_TEXT}|\S+)")
#: Inner queries by the name of their relation: the type, and the field that names the outer record.
_CHILDREN = {"OpportunityContactRoles": ("OpportunityContactRole", "OpportunityId")}


class MalformedQuery(ValueError):
    """SOQL that is not understood."""


def run(state: SalesforceState, soql: str, deleted: bool) -> list[Record]:
    inner = _INNER.search(soql)
    found = _QUERY.match(_INNER.sub("", soql) if inner else soql)
    if found is None:
        raise MalformedQuery(f"unexpected token: {soql[:40]}")
    columns = [one.strip() for one in found["columns"].split(",") if one.strip()]
    rows = [one for one in state.kept.get(found["kind"], {}).values() if deleted or not one["IsDeleted"]]
    rows = [one for one in rows if _holds(state, one, found["where"] or "")]
    shown = [_shown(state, found["kind"], one, columns) for one in rows[: int(found["limit"] or len(rows))]]
    if inner:
        kind, parent = _CHILDREN[inner["kind"]]
        for row, record in zip(rows, shown, strict=True):
            of = [one for one in state.kept.get(kind, {}).values() if one[parent] == row["Id"]]
            of = [one for one in of if _holds(state, one, inner["where"] or "")]
            children = [_shown(state, kind, one, [inner["columns"].strip()]) for one in of]
            record[inner["kind"]] = {"totalSize": len(of), "done": True, "records": children} if of else None
    return shown


def _holds(state: SalesforceState, record: Record, where: str) -> bool:
    conditions = list(_CONDITION.finditer(where))
    if " AND ".join(one.group(0) for one in conditions) != where:
        raise MalformedQuery(f"unexpected token: {where[:60]}")
    return all(_true(_value(state, record, one["field"]), one["sign"], one["value"]) for one in conditions)


def _true(value: Any, sign: str, said: str) -> bool:
    if sign == "IN":
        return value in [_text(one) for one in re.findall(_TEXT, said)]
    if sign in (">=", "<"):
        return (datetime.fromisoformat(value) >= datetime.fromisoformat(said)) == (sign == ">=")
    wanted: Any = {"null": None, "true": True, "false": False}.get(said, _text(said) if said[0] == "'" else said)
    return (value == wanted) == (sign == "=")


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])


def _value(state: SalesforceState, record: Record, field: str) -> Any:
    relation, _, name = field.rpartition(".")
    if not relation:
        if field not in record:
            raise MalformedQuery(f"No such column '{field}'")
        return record[field]
    related = _related(state, record, relation)
    return related[name] if related else None


def _related(state: SalesforceState, record: Record, relation: str) -> Record | None:
    key = record.get(f"{relation}Id")
    kind = "User" if relation == "LastModifiedBy" else relation
    return state.kept.get(kind, {}).get(key) if key else None


def _shown(state: SalesforceState, kind: str, record: Record, columns: list[str]) -> Record:
    found: Record = {"attributes": {"type": kind, "url": f"/services/data/v59.0/sobjects/{kind}/{record['Id']}"}}
    for column in columns:
        relation, _, name = column.rpartition(".")
        if not relation:
            found[column] = _value(state, record, column)
            continue
        related = _related(state, record, relation)
        there: Mapping[str, Any] = found.get(relation) or {"attributes": {"type": relation}}
        found[relation] = {**there, name: related[name]} if related else None
    return found
