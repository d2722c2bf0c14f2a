"""Fields of Meta's objects, from and to the words of `serving.integrations.change`."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Change, Fields, PlatformObject

#: Currencies without a smaller unit at Meta.
WHOLE = frozenset({"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"})
#: The edge of the account, the field of the parent, and the fields to read, by type.
EDGES = {"campaign": "campaigns", "ad_group": "adsets", "ad": "ads", "audience": "customaudiences"}
PARENTS = {"ad_group": "campaign_id", "ad": "adset_id"}
READ = {
    "campaign": "id,name,status,objective,daily_budget,lifetime_budget,start_time,stop_time,special_ad_categories,"
    "updated_time",
    "ad_group": "id,name,status,daily_budget,lifetime_budget,bid_amount,start_time,end_time,campaign_id,targeting,"
    "optimization_goal,billing_event,updated_time",
    "ad": "id,name,status,adset_id,campaign_id,creative{object_story_spec,asset_feed_spec},updated_time",
    "audience": "id,name,description,subtype,lookalike_spec,time_updated",
}
_TO_STATUS = {"live": "ACTIVE", "paused": "PAUSED", "removed": "DELETED"}
_OF_STATUS = {"ACTIVE": "live", "PAUSED": "paused", "DELETED": "removed", "ARCHIVED": "removed"}
_BID_UNITS = {"click": "LINK_CLICKS", "mille": "IMPRESSIONS", "conversion": "OFFSITE_CONVERSIONS"}
#: Fields that Meta only sets together.
TARGETS = frozenset({"countries", "audiences", "placements"})
TEXTS = frozenset({"headlines", "bodies", "url", "image"})
_MARK = " [adloop "


def named(change: Change) -> str:
    """The name at Meta, which holds the marker."""
    return f"{change.fields.get('name', change.object)}{_MARK}{change.marker}]"


def bare(name: str) -> str:
    """The name without the marker."""
    return name.split(_MARK)[0]


class Words:
    """Both directions, for an account's currency and page."""

    def __init__(self, currency: str, page_id: str) -> None:
        self._unit, self._page = 1 if currency in WHOLE else 100, page_id

    def to_meta(self, change: Change) -> dict[str, Any]:
        """Parameters of the call that makes or changes the object. Targeting and texts are set as a whole: an update
        of one of them must come with the others."""
        fields = change.fields
        said = {name: fields[name] for name in _PLAIN if name in fields}
        if change.doing == "create":
            parent = {PARENTS[change.object]: change.parent} if change.object in PARENTS else {}
            said = {**_NEEDED[change.object], **parent, **said, "name": named(change)}
        for name, write in self._writers().items():
            if name in fields:
                said |= write(change.object, fields[name])
        if change.object == "ad_group":
            said |= _targeting(fields)
        if change.object == "ad" and TEXTS.intersection(fields):
            said["creative"] = self._creative(fields)
        if change.object == "audience" and "like" in fields:
            spec = {"ratio": fields.get("ratio", 0.01), "country": fields["countries"][0]}
            said |= {"subtype": "LOOKALIKE", "origin_audience_id": fields["like"], "lookalike_spec": spec}
            said.pop("customer_file_source", None)
        return said

    def _writers(self) -> Mapping[str, Callable[[str, Any], dict[str, Any]]]:
        return {
            "status": lambda _, value: {"status": _TO_STATUS[value]},
            "daily_budget": lambda _, value: {"daily_budget": self._cents(value)},
            "total_budget": lambda _, value: {"lifetime_budget": self._cents(value)},
            "bid": lambda _, value: {"bid_amount": self._cents(value)},
            "bid_unit": lambda _, value: {"optimization_goal": _BID_UNITS[value]},
            "starts_at": lambda _, value: {"start_time": value.replace("Z", "+0000")},
            "ends_at": lambda kind, value: {
                "stop_time" if kind == "campaign" else "end_time": value.replace("Z", "+0000")
            },
        }

    def _cents(self, amount: float) -> int:
        return round(amount * self._unit)

    def _creative(self, fields: Fields) -> dict[str, Any]:
        """One headline and body: a link ad; several: Meta tries them out (a dynamic ad)."""
        heads, bodies = list(fields.get("headlines", [])), list(fields.get("bodies", []))
        image = {"picture": fields["image"]} if "image" in fields else {}
        if len(heads) <= 1 and len(bodies) <= 1:
            link = {"link": fields.get("url", ""), "name": (heads or [""])[0], "message": (bodies or [""])[0], **image}
            return {"object_story_spec": {"page_id": self._page, "link_data": link}}
        feed = {
            "titles": [{"text": one} for one in heads],
            "bodies": [{"text": one} for one in bodies],
            "link_urls": [{"website_url": fields.get("url", "")}],
            "images": [{"url": image["picture"]}] if image else [],
        }
        return {"object_story_spec": {"page_id": self._page}, "asset_feed_spec": feed}

    def of_meta(self, kind: str, shown: Mapping[str, Any]) -> PlatformObject:
        """The object in our words, without what was not set."""
        fields: dict[str, Any] = {"name": bare(shown.get("name", ""))}
        fields |= {ours: int(shown[name]) / self._unit for ours, name in _MONEY if int(shown.get(name) or 0)}
        fields |= {ours: _utc(shown[name]) for ours, name in _TIMES if shown.get(name)}
        fields |= {name: shown[name] for name in _PLAIN[1:] if shown.get(name) is not None}
        fields |= _enumerated(shown) | _targeted(shown.get("targeting", {})) | _created(shown.get("creative", {}))
        if shown.get("lookalike_spec"):
            spec = json.loads(shown["lookalike_spec"])
            fields |= {"like": spec["origin"][0]["id"], "countries": [spec["country"]], "ratio": spec["ratio"]}
        parent = str(shown.get(PARENTS.get(kind, ""), ""))
        return PlatformObject(kind, str(shown["id"]), fields, parent, str(shown.get("updated_time", "")))


_MONEY = (("daily_budget", "daily_budget"), ("total_budget", "lifetime_budget"), ("bid", "bid_amount"))
_TIMES = (("starts_at", "start_time"), ("ends_at", "stop_time"), ("ends_at", "end_time"))


#: Fields that are passed on as they are, and what Meta wants of each new object.
_PLAIN = ("name", "objective", "special_ad_categories", "description")
_NEEDED: Mapping[str, dict[str, Any]] = {
    "campaign": {"objective": "OUTCOME_TRAFFIC", "special_ad_categories": [], "status": "PAUSED"},
    "ad_group": {"billing_event": "IMPRESSIONS", "optimization_goal": "LINK_CLICKS", "status": "PAUSED"},
    "ad": {"status": "PAUSED"},
    "audience": {"subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"},
}


def _enumerated(shown: Mapping[str, Any]) -> dict[str, Any]:
    found = {"status": _OF_STATUS[shown["status"]]} if "status" in shown else {}
    units = {goal: unit for unit, goal in _BID_UNITS.items()}
    goal = shown.get("optimization_goal")
    return {**found, "bid_unit": units[goal]} if goal in units else found


def _targeting(fields: Fields) -> dict[str, Any]:
    said = dict[str, Any]()
    if "countries" in fields:
        said["geo_locations"] = {"countries": fields["countries"]}
    if "audiences" in fields:
        said["custom_audiences"] = [{"id": one} for one in fields["audiences"]]
    if "placements" in fields:
        said["publisher_platforms"] = fields["placements"]
    return {"targeting": said} if said else {}


def _targeted(targeting: Mapping[str, Any]) -> dict[str, Any]:
    found = dict[str, Any]()
    if targeting.get("geo_locations", {}).get("countries"):
        found["countries"] = targeting["geo_locations"]["countries"]
    if targeting.get("custom_audiences"):
        found["audiences"] = [str(one["id"]) for one in targeting["custom_audiences"]]
    if targeting.get("publisher_platforms"):
        found["placements"] = targeting["publisher_platforms"]
    return found


def _created(creative: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of an ad."""
    feed, link = creative.get("asset_feed_spec"), creative.get("object_story_spec", {}).get("link_data")
    if feed:
        found = {
            "headlines": [one["text"] for one in feed.get("titles", [])],
            "bodies": [one["text"] for one in feed.get("bodies", [])],
            "url": feed["link_urls"][0]["website_url"] if feed.get("link_urls") else "",
            "image": feed["images"][0]["url"] if feed.get("images") else "",
        }
    elif link:
        found = {
            "headlines": [link["name"]] if link.get("name") else [],
            "bodies": [link["message"]] if link.get("message") else [],
            "url": link.get("link", ""),
            "image": link.get("picture", ""),
        }
    else:
        found = {}
    return {name: value for name, value in found.items() if value}


def _utc(told: str) -> str:
    moment = datetime.strptime(told, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
