"""What PostHog knows of customers: what they do by day, and how many get through a funnel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from serving.integrations.posthog.calls import PosthogCalls

if TYPE_CHECKING:
    import pyarrow as pa

#: Kinds of interactions by event, beside those of the credentials.
VIEWS = {"$pageview": "content", "$screen": "content"}
#: Rows of a page; a query gives at most 50,000.
_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step of a funnel: its event, and how many people came to it."""

    event: str
    people: int


def funnel(calls: PosthogCalls, events: Sequence[str], start: date, end: date) -> list[FunnelStep]:
    """How many people did these events in this order, from `start` until before `end`."""
    asked = {
        "kind": "FunnelsQuery",
        "series": [{"kind": "EventsNode", "event": event} for event in events],
        "dateRange": {"date_from": start.isoformat(), "date_to": (end - timedelta(days=1)).isoformat()},
        "funnelsFilter": {"funnelOrderType": "ordered"},
    }
    found = calls.ask("POST", f"{calls.project}/query/", json={"query": asked})["results"]
    return [FunnelStep(events[one["order"]], int(one["count"])) for one in sorted(found, key=lambda one: one["order"])]


def read(calls: PosthogCalls, day: date, kinds: Mapping[str, str]) -> "dict[str, pa.Table]":
    """Table `interactions` of a day in UTC: a row an hour in which a customer did something of a kind.

    Events that adloop sent are left out: they are what was done to a customer.
    """
    import pyarrow as pa

    start = datetime.combine(day, datetime.min.time(), UTC)
    events, rows = {**VIEWS, **kinds}, list[list[str]]()
    while True:
        page = calls.query(
            "SELECT distinct_id, toString(toStartOfHour(timestamp, 'UTC')) AS hour, event FROM events"
            " WHERE timestamp >= {start} AND timestamp < {end} AND event IN {events} AND properties.adloop IS NULL"
            " GROUP BY distinct_id, hour, event ORDER BY distinct_id, hour, event LIMIT {limit} OFFSET {offset}",
            start=start.isoformat(),
            end=(start + timedelta(days=1)).isoformat(),
            events=sorted(events),
            limit=_PAGE,
            offset=len(rows),
        )
        rows += page
        if len(page) < _PAGE:
            break
    if not rows:
        return {}
    done = sorted({(customer, hour, events[event]) for customer, hour, event in rows})
    customers, hours, found = zip(*done, strict=True)
    moments = [datetime.fromisoformat(hour).replace(tzinfo=None) for hour in hours]
    return {
        "interactions": pa.table(
            {"customer_id": customers, "occurred_at": pa.array(moments, pa.timestamp("us")), "kind": found}
        )
    }
