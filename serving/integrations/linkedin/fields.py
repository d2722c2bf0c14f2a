"""Fields of objects at LinkedIn and in the words of changes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from serving.integrations.change import Fields
from serving.integrations.linkedin import targeting

ACCOUNT, GROUP, CAMPAIGN, CREATIVE = (
    f"urn:li:sponsored{kind}:" for kind in ("Account", "CampaignGroup", "Campaign", "Creative")
)
ORGANIZATION = "urn:li:organization:"
_STATUS = {"live": "ACTIVE", "paused": "PAUSED", "removed": "ARCHIVED"}
_SHOWN = {
    **{"ACTIVE": "live", "PAUSED": "paused", "DRAFT": "paused", "COMPLETED": "paused"},
    **dict.fromkeys(("ARCHIVED", "CANCELED", "PENDING_DELETION", "REMOVED"), "removed"),
}
_UNIT = {"click": "CPC", "mille": "CPM"}
_MONEY = {"daily_budget": "dailyBudget", "total_budget": "totalBudget", "bid": "unitCost"}
_TIMES = {"starts_at": "start", "ends_at": "end"}
_MARKER = re.compile(r" \[adloop ([0-9a-f]{16})\]$")


def marked(name: str, marker: str) -> str:
    return f"{name} [adloop {marker}]"


def marker(name: str) -> str:
    """The marker in a name; empty where it has none."""
    found = _MARKER.search(name)
    return found.group(1) if found else ""


def unmarked(name: str) -> str:
    return _MARKER.sub("", name)


def renamed(name: str, now: str) -> str:
    """The new name of what is named `now`, whose marker stays."""
    return marked(name, marker(now)) if marker(now) else name


def id_of(urn: str) -> str:
    return urn.rsplit(":", 1)[-1]


def milliseconds(time: str) -> int:
    moment = datetime.fromisoformat(time)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def iso(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def money(amount: float, currency: str) -> dict[str, str]:
    """An amount as LinkedIn writes it: the shortest decimal that is the number, never an exponent."""
    return {"amount": format(Decimal(repr(amount)), "f"), "currencyCode": currency}


def written(fields: Fields, currency: str) -> dict[str, Any]:
    """What sets these fields of a campaign group or campaign, but for name and targeting."""
    found: dict[str, Any] = {ours: money(fields[name], currency) for name, ours in _MONEY.items() if name in fields}
    if "status" in fields:
        found["status"] = _STATUS[fields["status"]]
    if "bid_unit" in fields:
        found["costType"] = _UNIT[fields["bid_unit"]]
    if "objective" in fields:
        found["objectiveType"] = fields["objective"]
    schedule = {ours: milliseconds(fields[name]) for name, ours in _TIMES.items() if name in fields}
    return found | ({"runSchedule": schedule} if schedule else {})


def patch(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A partial update that sets these; of the schedule only the times that are given."""
    plain = {name: value for name, value in fields.items() if name != "runSchedule"}
    found: dict[str, Any] = {"$set": plain} if plain else {}
    return found | ({"runSchedule": {"$set": fields["runSchedule"]}} if "runSchedule" in fields else {})


def read(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a campaign group, campaign, creative or segment as LinkedIn shows them; of an audience its own
    URNs."""
    found: dict[str, Any] = {"name": unmarked(shown.get("name", ""))}
    found |= {name: float(shown[theirs]["amount"]) for name, theirs in _MONEY.items() if shown.get(theirs)}
    status = shown.get("status") or shown.get("intendedStatus")
    if status in _SHOWN:
        found["status"] = _SHOWN[status]
    unit = {theirs: ours for ours, theirs in _UNIT.items()}.get(shown.get("costType", ""))
    found |= {"bid_unit": unit} if unit else {}
    schedule = shown.get("runSchedule") or {}
    found |= {name: iso(schedule[theirs]) for name, theirs in _TIMES.items() if schedule.get(theirs)}
    if "objectiveType" in shown:
        found["objective"] = shown["objectiveType"]
    if "targetingCriteria" in shown:
        found |= targeting.read(shown["targetingCriteria"])
    return found
