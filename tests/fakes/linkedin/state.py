"""What the account holds: two groups, a campaign and its ad, a lead form's answers, and figures of every day."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from serving.integrations.change import Fields
from serving.integrations.linkedin import fields as words

ACCOUNT = "512345678"
URN = f"urn:li:sponsoredAccount:{ACCOUNT}"
MEMBER = "urn:li:person:adloop"
#: Collections by type of object in the words of changes.
KINDS = {"campaign": "adCampaignGroups", "ad_group": "adCampaigns", "ad": "creatives"}
_MARKED = re.compile(r"\[adloop ([0-9a-f]{16})\]")
_FIRST = 1_700_000_000_000
Object = dict[str, Any]


def _stamps(by: str) -> Object:
    at = round(time.time() * 1000)
    return {"lastModified": {"actor": by, "time": at}, "created": {"actor": by, "time": _FIRST}}


class LinkedInState:
    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Object]] = {name: {} for name in (*KINDS.values(), "posts", "dmpSegments")}
        self.companies = list[tuple[str, Object]]()
        self.leads, self._next = list[Object](), 3000
        usd = {"currencyCode": "EUR"}
        for key, name in (("1001", "Always on"), ("1002", "Partners")):
            self._put("adCampaignGroups", key, {"name": name, "status": "ACTIVE", "account": URN})
        where = {"urn:li:adTargetingFacet:locations": ["urn:li:geo:101282230"]}
        campaign = {
            "name": "Engineers in Germany",
            "status": "ACTIVE",
            "account": URN,
            "campaignGroup": "urn:li:sponsoredCampaignGroup:1001",
            "type": "SPONSORED_UPDATES",
            "costType": "CPC",
            "unitCost": {"amount": "8.5", **usd},
            "dailyBudget": {"amount": "60", **usd},
            "locale": {"country": "US", "language": "en"},
            "targetingCriteria": {
                "include": {"and": [{"or": where}]},
                "exclude": {"or": {"urn:li:adTargetingFacet:seniorities": ["urn:li:seniority:1"]}},
            },
            "runSchedule": {"start": _FIRST},
            "version": {"versionTag": "1"},
        }
        self._put("adCampaigns", "2001", campaign)
        creative = {
            "campaign": "urn:li:sponsoredCampaign:2001",
            "content": {"reference": "urn:li:share:7001"},
            "intendedStatus": "ACTIVE",
            "name": "Read the guide",
        }
        self._put("creatives", "urn:li:sponsoredCreative:2101", creative)

    def _put(self, collection: str, key: str, found: Object) -> None:
        place = key if key.startswith("urn") else int(key)
        self.kept[collection][key] = {"changeAuditStamps": _stamps(MEMBER), **found, "id": place}

    def create(self, collection: str, body: Object) -> str:
        self._next += 1
        key = {"creatives": "urn:li:sponsoredCreative:{}", "posts": "urn:li:share:{}"}.get(collection, "{}").format(
            self._next
        )
        if collection == "dmpSegments":
            built = {"destination": "LINKEDIN", "destinationSegmentId": f"urn:li:adSegment:{self._next}0"}
            body = {**body, "destinations": [{**built, "status": "READY", "audienceSize": 0}]}
        self._put(collection, key, body)
        return key

    def patch(self, collection: str, key: str, patch: Mapping[str, Any], by: str = MEMBER) -> None:
        found = self.kept[collection][key]
        found |= patch.get("$set", {})
        for name in patch.get("$delete", ()):
            found.pop(name, None)
        for name, nested in patch.items():
            if not name.startswith("$"):
                found[name] = {**found.get(name, {}), **nested.get("$set", {})}
        found["changeAuditStamps"] = _stamps(by)
        found["version"] = {"versionTag": str(int(found.get("version", {}).get("versionTag", 0)) + 1)}

    def objects(self) -> Mapping[str, Any]:
        return {**{name: list(found.values()) for name, found in self.kept.items()}, "companies": self.companies}

    def markers(self) -> Sequence[str]:
        named = [
            str(one.get("name") or one.get("adContext", {}).get("dscName", ""))
            for found in self.kept.values()
            for one in found.values()
        ]
        return [mark for name in named for mark in _MARKED.findall(name)]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        collection = KINDS[object]
        key = f"urn:li:sponsoredCreative:{object_id}" if object == "ad" else object_id
        status = {"intendedStatus": {"live": "ACTIVE"}.get(str(fields.get("status")), "PAUSED")}
        set_ = status if object == "ad" else words.written(fields, "EUR")
        self.patch(collection, key, words.patch(set_), f"urn:li:person:{by}")
