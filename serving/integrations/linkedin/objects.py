"""The kinds of objects at LinkedIn: where they live, and how a new one is written."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serving.integrations.change import Change
from serving.integrations.linkedin import fields, targeting

#: Collections within the ad account.
COLLECTIONS = {"campaign": "adCampaignGroups", "ad_group": "adCampaigns", "ad": "creatives"}
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinkedInPlace:
    """Where objects are made: an account with its currency, and what LinkedIn granted beside it."""

    account: str
    currency: str
    organization: str
    source_platform: str


def _campaign(change: Change, place: LinkedInPlace) -> Body:
    return {
        **_scheduled(change, place),
        "account": fields.ACCOUNT + place.account,
        "name": fields.marked(change.fields["name"], change.marker),
    }


def _scheduled(change: Change, place: LinkedInPlace) -> Body:
    """The fields of a new campaign or group, paused and from now on where the change does not say otherwise."""
    found = fields.written({"status": "paused", **change.fields}, place.currency)
    return found | {"runSchedule": {"start": round(time.time() * 1000)} | found.get("runSchedule", {})}


def _ad_group(change: Change, place: LinkedInPlace) -> Body:
    language, country = str(change.fields.get("language", "en_US")).split("_")
    political = {True: "POLITICAL", False: "NOT_POLITICAL", None: "NOT_DECLARED"}
    return {
        "type": "SPONSORED_UPDATES",
        "costType": "CPM",
        "creativeSelection": "OPTIMIZED",
        "offsiteDeliveryEnabled": False,
        "audienceExpansionEnabled": False,
        **_scheduled(change, place),
        "account": fields.ACCOUNT + place.account,
        "campaignGroup": fields.GROUP + change.parent,
        "name": fields.marked(change.fields["name"], change.marker),
        "locale": {"language": language, "country": country},
        "politicalIntent": political[change.fields.get("political")],
        "targetingCriteria": targeting.written(change.fields, {}),
    }


def _ad(change: Change, place: LinkedInPlace) -> Body:
    return {
        "campaign": fields.CAMPAIGN + change.parent,
        "content": {"reference": change.fields["post"]},
        "name": fields.marked(change.fields["name"], change.marker),
        "intendedStatus": fields.written({"status": change.fields.get("status", "paused")}, place.currency)["status"],
    }


def _post(change: Change, place: LinkedInPlace) -> Body:
    article = {"source": "url", "title": "headline", "description": "description"}
    shown = {theirs: change.fields[ours] for theirs, ours in article.items() if change.fields.get(ours)}
    return {
        "author": fields.ORGANIZATION + place.organization,
        "commentary": change.fields["text"],
        "visibility": "PUBLIC",
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
        "distribution": {"feedDistribution": "NONE", "thirdPartyDistributionChannels": []},
        "adContext": {
            "dscAdAccount": fields.ACCOUNT + place.account,
            "dscStatus": "ACTIVE",
            "dscName": fields.marked(change.fields.get("name", ""), change.marker),
        },
    } | ({"content": {"article": shown}} if "source" in shown else {})


def _audience(change: Change, place: LinkedInPlace) -> Body:
    return {
        "account": fields.ACCOUNT + place.account,
        "accessPolicy": "PRIVATE",
        "sourcePlatform": place.source_platform,
        "destinations": [{"destination": "LINKEDIN"}],
        "name": fields.marked(change.fields["name"], change.marker),
        "type": {"company": "COMPANY", "member": "USER"}[change.fields["kind"]],
    }


#: The body of a new object.
NEW: Mapping[str, Callable[[Change, LinkedInPlace], Body]] = {
    "campaign": _campaign,
    "ad_group": _ad_group,
    "ad": _ad,
    "post": _post,
    "audience": _audience,
}


def company(change: Change) -> Body:
    """A company as a segment takes it."""
    name = change.fields.get("name")
    return {"action": "ADD", "companyWebsiteDomain": change.fields["domain"]} | ({"companyName": name} if name else {})


def parent(object: str, shown: Mapping[str, Any]) -> str:
    return fields.id_of({"ad_group": shown.get("campaignGroup"), "ad": shown.get("campaign")}.get(object) or "")


def read(object: str, shown: Mapping[str, Any]) -> Body:
    """The fields of an object as LinkedIn shows it."""
    if object == "post":
        article = shown.get("content", {}).get("article", {})
        found = {
            "headline": article.get("title"),
            "url": article.get("source"),
            "description": article.get("description"),
        }
        name = fields.unmarked(shown.get("adContext", {}).get("dscName", ""))
        found |= {"text": shown.get("commentary"), "name": name or None}
        return {name: value for name, value in found.items() if value is not None}
    found = fields.read(shown)
    if object == "ad":
        found["post"] = shown.get("content", {}).get("reference", "")
    if object == "audience":
        found["kind"] = "company" if shown.get("type", "").startswith("COMPANY") else "member"
    if object == "ad_group":
        locale = shown.get("locale", {})
        found["language"] = f"{locale.get('language', '')}_{locale.get('country', '')}"
        found["political"] = {"POLITICAL": True, "NOT_POLITICAL": False}.get(shown.get("politicalIntent", ""))
    return found
