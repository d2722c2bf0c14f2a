"""Google's fields as those of `change.py`: money in millionths, times on the account's clock, states by other names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from serving.integrations.change import PlatformFault
from serving.integrations.platform import CallRefused

MICROS = 1_000_000
#: What Google shows as the end of a campaign without one.
NEVER = "2037-12-30"
STATUSES = {"live": "ENABLED", "paused": "PAUSED", "removed": "REMOVED"}
MATCHES = {"exact": "EXACT", "phrase": "PHRASE", "broad": "BROAD"}
POLITICAL = {True: "CONTAINS_EU_POLITICAL_ADVERTISING", False: "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"}
Kind = Literal["name", "text", "money", "start", "end", "status", "match", "texts", "url", "political", "score"]
#: A field's name in adloop's words.
Canonical = str


@dataclass(frozen=True, slots=True)
class GoogleField:
    """Where a field lies in a row of a query, and what it holds."""

    name: Canonical
    path: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class GoogleObject:
    """A type of object: its resource in GAQL, the last part of its resource names, where its parent is named, and which
    rows of the resource are of this type."""

    object: str
    resource: str
    collection: str
    fields: tuple[GoogleField, ...]
    parent: str = ""
    where: str = ""

    @property
    def settable(self) -> tuple[Canonical, ...]:
        places = ("countries",) if self.object == "campaign" else ()
        return tuple(field.name for field in self.fields if field.kind != "score") + places

    def field(self, name: Canonical) -> GoogleField:
        return next(one for one in self.fields if one.name == name)


_AD = "ad_group_ad.ad"
OBJECTS: Mapping[str, GoogleObject] = {
    one.object: one
    for one in (
        GoogleObject(
            "campaign",
            "campaign",
            "campaigns",
            (
                GoogleField("name", "campaign.name", "name"),
                GoogleField("status", "campaign.status", "status"),
                GoogleField("daily_budget", "campaign_budget.amount_micros", "money"),
                GoogleField("starts_at", "campaign.start_date_time", "start"),
                GoogleField("ends_at", "campaign.end_date_time", "end"),
                GoogleField("eu_political", "campaign.contains_eu_political_advertising", "political"),
            ),
        ),
        GoogleObject(
            "ad_group",
            "ad_group",
            "adGroups",
            (
                GoogleField("name", "ad_group.name", "name"),
                GoogleField("status", "ad_group.status", "status"),
                GoogleField("bid", "ad_group.cpc_bid_micros", "money"),
            ),
            parent="ad_group.campaign",
        ),
        GoogleObject(
            "keyword",
            "ad_group_criterion",
            "adGroupCriteria",
            (
                GoogleField("keyword", "ad_group_criterion.keyword.text", "text"),
                GoogleField("match", "ad_group_criterion.keyword.match_type", "match"),
                GoogleField("status", "ad_group_criterion.status", "status"),
                GoogleField("bid", "ad_group_criterion.cpc_bid_micros", "money"),
                GoogleField("quality_score", "ad_group_criterion.quality_info.quality_score", "score"),
            ),
            parent="ad_group_criterion.ad_group",
            where="ad_group_criterion.type = KEYWORD AND ad_group_criterion.negative = FALSE",
        ),
        GoogleObject(
            "negative_keyword",
            "campaign_criterion",
            "campaignCriteria",
            (
                GoogleField("keyword", "campaign_criterion.keyword.text", "text"),
                GoogleField("match", "campaign_criterion.keyword.match_type", "match"),
                GoogleField("status", "campaign_criterion.status", "status"),
            ),
            parent="campaign_criterion.campaign",
            where="campaign_criterion.type = KEYWORD AND campaign_criterion.negative = TRUE",
        ),
        GoogleObject(
            "ad",
            "ad_group_ad",
            "adGroupAds",
            (
                GoogleField("status", "ad_group_ad.status", "status"),
                GoogleField("headlines", f"{_AD}.responsive_search_ad.headlines", "texts"),
                GoogleField("bodies", f"{_AD}.responsive_search_ad.descriptions", "texts"),
                GoogleField("url", f"{_AD}.final_urls", "url"),
            ),
            parent="ad_group_ad.ad_group",
            where="ad_group_ad.ad.type = RESPONSIVE_SEARCH_AD",
        ),
    )
}
#: The last part of a field's path to its name; a keyword's text lies a part deeper.
_NAMES = {
    field.path.removesuffix(".text").rsplit(".", 1)[1]: field.name for one in OBJECTS.values() for field in one.fields
} | {"geo_target_constant": "countries"}


def canonical(path: list[str]) -> str:
    """The name of the field at a path of an error (`headlines[2]`); the path where adloop has no word for it."""
    for part in reversed(path):
        name, bracket, index = part.partition("[")
        if name in _NAMES:
            return _NAMES[name] + (bracket + index if name in ("headlines", "descriptions") else "")
    return ".".join(path)


def refused(name: Canonical, expected: str, value: Any) -> CallRefused:
    """The error of a value that is no value of the field."""
    return CallRefused(PlatformFault("value", f"{name}: expected {expected}, got {value!r}", name))


def shown(field: GoogleField, value: Any, zone: ZoneInfo) -> Any:
    """A value of a row in adloop's words. `value` is a number or text of the message, or a list of its messages."""
    readers: Mapping[Kind, Callable[[], Any]] = {
        "money": lambda: value / MICROS,
        "start": lambda: _utc(value, zone) if value else "",
        "end": lambda: "" if not value or value.startswith(NEVER) else _utc(value, zone, timedelta(seconds=1)),
        "status": lambda: _word(STATUSES, value),
        "match": lambda: _word(MATCHES, value),
        "political": lambda: _word(POLITICAL, value),
        "texts": lambda: [one.text for one in value],
        "url": lambda: value[0] if value else "",
        "score": lambda: value or None,
    }
    return readers[field.kind]() if field.kind in readers else value


def _word(words: Mapping[Any, str], value: str) -> Any:
    return next((word for word, theirs in words.items() if theirs == value), None)


def _utc(value: str, zone: ZoneInfo, later: timedelta = timedelta(0)) -> str:
    at = datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC) + later
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def written(field: GoogleField, value: Any, zone: ZoneInfo) -> Any:
    """A value in Google's form; None where the field is to be emptied. Raises `CallRefused` naming what is expected."""
    writers: Mapping[Kind, Callable[[], Any]] = {
        "money": lambda: _micros(field.name, value),
        "start": lambda: _local(field.name, value, zone),
        "end": lambda: _local(field.name, value, zone, timedelta(seconds=1)),
        "status": lambda: _named(field.name, STATUSES, value),
        "match": lambda: _named(field.name, MATCHES, value),
        "political": lambda: _named(field.name, POLITICAL, value),
        "texts": lambda: _texts(field.name, value),
    }
    if field.kind in writers:
        return writers[field.kind]()
    if not isinstance(value, str) or not value:
        raise refused(field.name, "a text", value)
    return value


def _micros(name: Canonical, value: Any) -> int | None:
    """The amount in millionths; 0 empties the field, and the object has none of its own."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise refused(name, "an amount of 0 or more", value)
    return round(value * MICROS) or None


def _local(name: Canonical, value: Any, zone: ZoneInfo, earlier: timedelta = timedelta(0)) -> str | None:
    """The time on the account's clock; '' empties the field. Google's ends are the last second."""
    if value == "":
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise refused(name, "a time such as 2026-12-01T08:00:00Z", value) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return (at.astimezone(UTC) - earlier).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _named(name: Canonical, words: Mapping[Any, str], value: Any) -> str:
    if not isinstance(value, str | bool) or value not in words:
        raise refused(name, f"one of {', '.join(str(word) for word in words)}", value)
    return words[value]


def _texts(name: Canonical, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise refused(name, "a list of texts", value)
    return value
