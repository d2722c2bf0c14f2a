"""What Meta keeps of an ad account."""

import itertools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Fields
from tests.fakes.fake import TURN
from tests.fakes.meta.examples import ACCOUNT, AD_SET, PIXEL

EDGES = {"campaigns": "campaign", "adsets": "ad_group", "ads": "ad", "customaudiences": "audience"}
_MARKER = re.compile(r"\[adloop ([0-9a-f]{16})\]")
_CENTS = {"daily_budget": "daily_budget", "total_budget": "lifetime_budget", "bid": "bid_amount"}
_ACTIVITY = {"campaign": "CAMPAIGN", "ad_group": "AD_SET", "ad": "AD", "audience": "AUDIENCE"}


class MetaState:
    """Nodes by id, each with its `kind`; events, members of audiences, and the activities of people."""

    def __init__(self) -> None:
        self._ids = itertools.count(9001)
        self.nodes = dict[str, dict[str, Any]]()
        self.events = dict[tuple[str, str], dict[str, Any]]()
        self.members = dict[str, set[str]]()
        self.activities = list[dict[str, Any]]()
        self._begin()

    def _begin(self) -> None:
        """A campaign with an ad set and an ad, and what came of it."""
        self.put("campaign", {"name": "Brand", "status": "ACTIVE", "objective": "OUTCOME_TRAFFIC"}, "601")
        self.put(
            "ad_group",
            {
                **{"name": "Women 25-34", "status": "ACTIVE", "campaign_id": "601", "daily_budget": "5000"},
                **{"bid_amount": 120, "billing_event": "IMPRESSIONS", "optimization_goal": "LINK_CLICKS"},
                "targeting": {"geo_locations": {"countries": ["DE"]}},
            },
            AD_SET,
        )
        link = {"link": "https://shop.example/", "name": "Shoes that last", "message": "Two years of warranty."}
        spec = {"page_id": "2500", "link_data": link}
        self.put(
            "ad",
            {
                **{"name": "Shoes", "status": "ACTIVE", "adset_id": AD_SET, "campaign_id": "601"},
                "creative": {"object_story_spec": spec},
            },
            "603",
        )

    def put(self, kind: str, said: Mapping[str, Any], node_id: str = "") -> str:
        """Keep a new node; its id."""
        with TURN:
            made = node_id or f"{next(self._ids)}"
            now = _now()
            self.nodes[made] = {"id": made, "kind": kind, "created_time": now, "updated_time": now, **said}
            return made

    def change(self, node_id: str, said: Mapping[str, Any]) -> None:
        with TURN:
            self.nodes[node_id] |= {**said, "updated_time": _now()}

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        yield from (node for node in self.nodes.values() if node["kind"] == kind)

    def objects(self) -> Mapping[str, Any]:
        with TURN:
            members = {name: sorted(found) for name, found in self.members.items()}
            events = [{"pixel": pixel, **event} for (pixel, _), event in self.events.items()]
            return {
                "nodes": {name: dict(node) for name, node in self.nodes.items()},
                "events": events,
                "members": members,
            }

    def markers(self) -> Sequence[str]:
        with TURN:
            names = [str(node.get("name", "")) for node in self.nodes.values()]
            return [found[1] for name in names if (found := _MARKER.search(name))] + [one for _, one in self.events]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        said = {_CENTS[name]: round(100 * value) for name, value in fields.items() if name in _CENTS}
        if "status" in fields:
            said["status"] = {"live": "ACTIVE", "paused": "PAUSED"}[fields["status"]]  # type: ignore[assignment]
        self.change(object_id, said)
        at = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        about = {"object_id": object_id, "object_type": _ACTIVITY[object], "actor_id": "77", "actor_name": by}
        self.activities.append({"event_time": at, "event_type": "update_" + object, **about})

    def insights(self, day: str) -> list[dict[str, Any]]:
        """What the ads got on a day: always the same for the same day."""
        seed = sum(map(ord, day))
        found = list[dict[str, Any]]()
        for ad in self.of("ad"):
            for place, publisher in enumerate(("facebook", "instagram")):
                clicks = 10 + (seed + place) % 7
                bought = [{"action_type": "omni_purchase", "value": str(clicks // 5)}]
                worth = [{"action_type": "omni_purchase", "value": str(12.5 * (clicks // 5))}]
                about = {"ad_id": ad["id"], "campaign_id": ad["campaign_id"], "publisher_platform": publisher}
                counts = {"impressions": str(1000 + seed % 100), "inline_link_clicks": str(clicks), "spend": "9.87"}
                span = {"date_start": day, "date_stop": day}
                found.append({**about, **counts, **span, "actions": bought, "action_values": worth})
        return found


def account() -> dict[str, Any]:
    return {
        **{"id": f"act_{ACCOUNT}", "account_id": ACCOUNT, "name": "Shoe shop", "currency": "EUR"},
        **{"timezone_name": "Europe/Berlin", "account_status": 1, "pixel": PIXEL},
    }


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
