"""The queries that the fake of PostHog knows, over the events that came."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: Every day somebody looks at a page in the morning.
_DAILY = ("ann", "$pageview", 9)


def results(asked: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[Any] | None:
    """The `results` of a query; None for one that it does not know."""
    if asked["kind"] == "FunnelsQuery":
        return _funnel([one["event"] for one in asked["series"]], events)
    query, values = str(asked["query"]), asked.get("values") or {}
    if query == "SELECT 1":
        return [[1]]
    if query.startswith("SELECT DISTINCT toString(uuid)"):
        wanted = [one for one in events if one["uuid"] in values["uuids"] and _between(one, values)]
        return sorted([one] for one in {event["uuid"] for event in wanted})
    if query.startswith("SELECT distinct_id"):
        return _hours(events, values)
    return None


def _hours(events: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> list[list[str]]:
    person, event, hour = _DAILY
    found = {(person, _at(values["start"]).replace(hour=hour).strftime("%Y-%m-%d %H:%M:%S"), event)}
    for one in events:
        if one["event"] in values["events"] and _between(one, values) and "adloop" not in one["properties"]:
            moment = _at(one["timestamp"]).replace(minute=0, second=0, microsecond=0)
            found.add((one["distinct_id"], moment.strftime("%Y-%m-%d %H:%M:%S"), one["event"]))
    rows = sorted([list(one) for one in found])
    return rows[values["offset"] : values["offset"] + values["limit"]]


def _funnel(steps: Sequence[str], events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_person = dict[str, list[str]]()
    for one in sorted(events, key=lambda one: _at(one["timestamp"])):
        by_person.setdefault(one["distinct_id"], []).append(one["event"])
    came = [0] * len(steps)
    for done in by_person.values():
        for order in range(_steps(steps, done)):
            came[order] += 1
    return [{"order": order, "name": step, "count": came[order]} for order, step in enumerate(steps)]


def _steps(steps: Sequence[str], done: Sequence[str]) -> int:
    """How many of the steps were done in their order."""
    order = 0
    for event in done:
        order += order < len(steps) and event == steps[order]
    return order


def _between(event: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return _at(values["start"]) <= _at(event["timestamp"]) <= _at(values["end"])


def _at(moment: str) -> datetime:
    found = datetime.fromisoformat(moment)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
