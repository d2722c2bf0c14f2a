"""What the account holds: a contact with an owner, deals, static lists; properties keep what they were."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.integrations.change import Fields

HUB, APP, CONTACT, OWNER = "4711", 99, "501", "77"
_MARKED = re.compile(r"\[adloop ([0-9a-f]{16})\]")
#: Properties by kind of object: `string`, `number` or `unique`.
PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "contacts": {
        **{"adloop_id": "unique", "adloop_score": "number", "adloop_reason": "string", "email": "unique"},
        **dict.fromkeys(("firstname", "lastname", "company", "hubspot_owner_id"), "string"),
        **dict.fromkeys(("hs_object_id", "lastmodifieddate"), "number"),
    },
    "notes": {"adloop_marker": "unique", "hs_timestamp": "number", "hs_note_body": "string", "hs_object_id": "number"},
    "deals": {
        **{"amount": "number", "closedate": "string", "dealtype": "string", "hs_analytics_source": "string"},
        **{"hs_is_closed_won": "string", "hs_object_id": "number"},
    },
}
#: Days before today on each of which a deal was won.
DAYS = 45
Record = dict[str, Any]


def iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


class HubSpotState:
    """Attributes:
    traced: whether errors of a batch tell whose they are; HubSpot may leave that out.
    """

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Record]] = {"contacts": {}, "notes": {}, "deals": {}}
        self.lists, self.members = dict[str, Record](), dict[str, list[str]]()
        self.links = dict[tuple[str, str], dict[str, list[str]]]()
        self._next, self._clock, self.traced = 1000, 0.0, True
        known = {"adloop_id": "known", "adloop_score": "5", "hubspot_owner_id": OWNER, "email": "ada@example.org"}
        self.put("contacts", CONTACT, known)
        for ago in range(1, DAYS + 1):
            day = datetime.now(UTC).date() - timedelta(days=ago)
            self.win(str(600 + ago), f"{day}T09:00:00.000Z", 100.0 + ago, CONTACT)

    def put(self, kind: str, key: str, properties: Mapping[str, str], by: str = str(APP)) -> Record:
        """Make or change an object; an equal value is no change and leaves no trace in the history."""
        self._clock = max(time.time(), self._clock + 1.0)
        now = iso(self._clock)
        record = self.kept[kind].setdefault(
            key, {"id": key, "properties": {}, "createdAt": now, "updatedAt": now, "archived": False, "history": {}}
        )
        for name, value in {**properties, "hs_object_id": key}.items():
            if record["properties"].get(name) != value:
                record["properties"][name] = value
                source = {"sourceType": "INTEGRATION" if by == str(APP) else "CRM_UI", "sourceId": by}
                record["history"].setdefault(name, []).insert(0, {"value": value, "timestamp": now, **source})
                record["updatedAt"] = now
        record["properties"]["lastmodifieddate"] = str(round(self._clock * 1000))
        return record

    def new_id(self) -> str:
        self._next += 1
        return str(self._next)

    def by_unique(self, kind: str, name: str, value: str) -> str:
        """The id of the object with this value of a unique property; empty where there is none."""
        found = [key for key, one in self.kept[kind].items() if one["properties"].get(name) == value]
        return found[0] if found else ""

    def link(self, kind: str, to: str, one: str, other: str) -> None:
        for place, first, second in (((kind, to), one, other), ((to, kind), other, one)):
            there = self.links.setdefault(place, {}).setdefault(first, [])
            there += [second] if second not in there else []

    def win(self, key: str, at: str, amount: float, contact: str = "") -> None:
        """A deal that was won."""
        won = {"closedate": at, "amount": str(amount), "hs_is_closed_won": "true", "dealtype": "newbusiness"}
        self.put("deals", key, won)
        if contact:
            self.link("deals", "contacts", key, contact)

    def objects(self) -> Mapping[str, Any]:
        kinds = {kind: list(found.values()) for kind, found in self.kept.items()}
        return {**kinds, "lists": list(self.lists.values()), "members": self.members}

    def markers(self) -> Sequence[str]:
        notes = [one["properties"].get("adloop_marker", "") for one in self.kept["notes"].values()]
        lists = [mark for one in self.lists.values() for mark in _MARKED.findall(one["name"])]
        return [*(mark for mark in notes if mark), *lists]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        names = {"score": "adloop_score", "reason": "adloop_reason"}
        self.put("contacts", object_id, {names[name]: str(value) for name, value in fields.items()}, by)
