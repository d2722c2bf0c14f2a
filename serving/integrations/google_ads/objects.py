"""Objects as Google shows them: queries, and their rows in adloop's words."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from serving.integrations.change import Change, PlatformObject
from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.google_ads.fields import OBJECTS, GoogleField, GoogleObject, shown
from serving.integrations.google_ads.places import targeted

#: Custom URL parameter of ads that holds the marker.
PARAMETER = "adloop"
_SIGNED = re.compile(r" \[adloop ([0-9a-f]{16})\]$")
_ID = re.compile(r"\d+(~\d+)?")


@dataclass(frozen=True, slots=True)
class StandingObject:
    """What an update needs to know of a campaign or ad group.

    Attributes:
        marker: in its name; empty where adloop did not create it.
        budget: the resource name of its budget; empty for an ad group.
        shared: how many campaigns have the budget.
    """

    marker: str
    budget: str = ""
    shared: int = 1


def signed(name: Any, marker: str) -> Any:
    """A name with its marker."""
    return f"{name} [adloop {marker}]" if marker and isinstance(name, str) else name


def objects(
    connection: GoogleAdsConnection, kind: GoogleObject, ids: Collection[str] | None, zone: ZoneInfo
) -> Iterator[PlatformObject]:
    """Objects of a type: these, or all, removed ones too."""
    wanted = None if ids is None else _named(connection, kind, ids)
    if wanted == []:
        return
    selected = [field.path for field in kind.fields] + ([kind.parent] if kind.parent else [])
    places = targeted(connection, wanted) if kind.object == "campaign" else {}
    for row in connection.query(_query(kind, selected, wanted)):
        object_id = _last(getattr(row, kind.resource).resource_name)
        fields = {field.name: shown(field, _value(row, field), zone) for field in kind.fields}
        if "name" in fields:
            fields["name"] = _SIGNED.sub("", fields["name"])
        if kind.object == "campaign":
            fields["countries"] = sorted(places.get(object_id, ()))
        parent = _last(_at(row, kind.parent)) if kind.parent else ""
        told = {name: value for name, value in fields.items() if value is not None}
        yield PlatformObject(kind.object, object_id, told, parent)


def standing(connection: GoogleAdsConnection, changes: Sequence[Change]) -> Mapping[str, StandingObject]:
    """Campaigns or ad groups as updates of their names and budgets need them, by id; nothing else asks for a call."""
    kind = OBJECTS[changes[0].object]
    asking = {change.target for change in changes if {"name", "daily_budget"} & set(change.fields)}
    if not asking:
        return {}
    budgets = ["campaign.campaign_budget", "campaign_budget.reference_count"] if kind.object == "campaign" else []
    rows = connection.query(_query(kind, [f"{kind.resource}.name", *budgets], _named(connection, kind, asking)))
    found = dict[str, StandingObject]()
    for row in rows:
        own = getattr(row, kind.resource)
        marker = _SIGNED.search(own.name)
        budget = (own.campaign_budget, row.campaign_budget.reference_count) if budgets else ()
        found[_last(own.resource_name)] = StandingObject(marker[1] if marker else "", *budget)
    return found


def find(connection: GoogleAdsConnection, changes: Sequence[Change]) -> dict[str, str]:
    """The ids of what was created for changes of one type, by `change_id`: one query, within their parents."""
    kind = OBJECTS[changes[0].object]
    if kind.object in ("keyword", "negative_keyword"):
        return _find_keywords(connection, kind, changes)
    path, condition = f"{kind.resource}.name", f"{kind.resource}.name LIKE '%[[]adloop %'"
    if kind.object == "ad":
        path, condition = "ad_group_ad.ad.url_custom_parameters", kind.where
    conditions = " AND ".join(one for one in (condition, _within(connection, kind, changes)) if one)
    place = dict[str, str]()
    for row in connection.query(f"SELECT {path} FROM {kind.resource} WHERE {conditions}"):  # noqa: S608 (GAQL)
        marker = _marker(_at(row, path))
        if marker:
            place[marker] = _last(getattr(row, kind.resource).resource_name)
    return {change.change_id: place[change.marker] for change in changes if change.marker in place}


def _marker(value: Any) -> str:
    """The marker in a name or among custom URL parameters; empty where adloop did not create the object."""
    if isinstance(value, str):
        found = _SIGNED.search(value)
        return found[1] if found else ""
    return next((str(one.value) for one in value if one.key == PARAMETER), "")


def _find_keywords(connection: GoogleAdsConnection, kind: GoogleObject, changes: Sequence[Change]) -> dict[str, str]:
    """Keywords by their parent, text and match, of which Google keeps one."""
    text, match = kind.field("keyword"), kind.field("match")
    place = dict[tuple[str, str, Any], str]()
    for row in connection.query(
        f"SELECT {text.path}, {match.path}, {kind.parent} FROM {kind.resource}"  # noqa: S608 (GAQL)
        f" WHERE {kind.where} AND {kind.resource}.status != REMOVED AND {_within(connection, kind, changes)}"
    ):
        key = _last(_at(row, kind.parent)), _plain(_value(row, text)), _value(row, match).lower()
        place[key] = _last(getattr(row, kind.resource).resource_name)
    keys = {one.change_id: (one.parent, _plain(one.fields.get("keyword")), one.fields.get("match")) for one in changes}
    return {change_id: place[key] for change_id, key in keys.items() if key in place}


def _plain(text: Any) -> str:
    """A keyword's text as Google tells keywords apart: neither case nor spaces count."""
    return " ".join(str(text).lower().split())


def _within(connection: GoogleAdsConnection, kind: GoogleObject, changes: Sequence[Change]) -> str:
    """The condition that an object belongs to a parent of the changes."""
    if not kind.parent:
        return ""
    owner = OBJECTS["campaign" if kind.parent.endswith("campaign") else "ad_group"]
    parents = _named(connection, owner, sorted({change.parent for change in changes}))
    return f"{kind.parent} IN ({', '.join(parents)})"


def _named(connection: GoogleAdsConnection, kind: GoogleObject, ids: Collection[str]) -> list[str]:
    """Resource names for a query, quoted; what has not the form of an id is no object of Google's."""
    customer = connection.credentials.customer_id
    return [f"'customers/{customer}/{kind.collection}/{one}'" for one in ids if _ID.fullmatch(one)]


def _query(kind: GoogleObject, selected: Sequence[str], names: Sequence[str] | None) -> str:
    conditions = [kind.where] if kind.where else []
    if names is not None:
        conditions.append(f"{kind.resource}.resource_name IN ({', '.join(names)})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(selected)} FROM {kind.resource}{where}"  # noqa: S608 (GAQL)


def _value(row: Any, field: GoogleField) -> Any:
    """A value of a row; enumerations by their name."""
    message = _at(row, field.path.rpartition(".")[0])
    last = field.path.rpartition(".")[2]
    value, about = getattr(message, last), message.DESCRIPTOR.fields_by_name[last]
    return about.enum_type.values_by_number[value].name if about.enum_type else value


def _at(row: Any, path: str) -> Any:
    for part in path.split("."):
        row = getattr(row, part)
    return row


def _last(name: str) -> str:
    return name.rpartition("/")[2]
