"""What a campaign is made of at a platform: objects in the words of `serving.integrations.change`.

Platforms differ in what their objects can be told. A field that only people read, or that is bounded here anyway, is
left out where a platform has none; everything else that a plan says and a platform cannot do is an error.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from serving.campaigns.plan import CampaignPlan, PlannedAd, PlannedAdGroup, PlannedKeyword
from serving.integrations.change import Doing, Fields
from serving.integrations.platform import Capability

#: Prefix of a value that names another part.
PART = "part:"
#: What may be left out: names are for people; `budget` and `safety` bound the total.
FOR_PEOPLE = frozenset({"name", "total_budget"})
#: Members of an audience in one change.
CHUNK = 5000
_SPECIAL = {
    "credit": "CREDIT",
    "finance": "FINANCIAL_PRODUCTS_SERVICES",
    "employment": "EMPLOYMENT",
    "housing": "HOUSING",
}


class CannotRun(ValueError):
    """What a plan asks and the platform cannot do."""


@dataclass(frozen=True)
class CampaignPart:
    """An object of a campaign.

    Attributes:
        key: unique within campaign and platform, the same in each version: `ad:running:light`.
        parent: key of the part that it belongs to.
    """

    key: str
    object: str
    fields: Fields
    parent: str = ""
    doing: Doing = "create"


@dataclass(frozen=True)
class LaunchNumbers:
    """What is not in the plan itself: bids of ad groups by `platform/ad group`, hashes of members by segment."""

    bids: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)


def parts(plan: CampaignPlan, platform: str, able: Sequence[Capability], numbers: LaunchNumbers) -> list[CampaignPart]:
    """The parts of a campaign at a platform, parents first. The campaign is paused, all else live.

    Raises `CannotRun`.
    """
    known = {one.object: one for one in able}
    return [_able(platform, one, known) for one in _Composed(plan, platform, known, numbers).all()]


def tracked(url: str, plan: CampaignPlan, platform: str) -> str:
    """The URL with the plan's UTM parameters; those that it has stay."""
    if plan.tracking is None:
        return url
    there = urlsplit(url)
    said = dict(parse_qsl(there.query, keep_blank_values=True))
    utm = {
        "utm_source": plan.tracking.source or platform,
        "utm_medium": plan.tracking.medium,
        "utm_campaign": plan.tracking.campaign or plan.name,
    }
    return urlunsplit(there._replace(query=urlencode({**utm, **said})))


@dataclass(frozen=True)
class _Composed:
    plan: CampaignPlan
    platform: str
    able: Mapping[str, Capability]
    numbers: LaunchNumbers

    def all(self) -> Iterator[CampaignPart]:
        yield CampaignPart("campaign", "campaign", self._campaign())
        yield from self._audiences()
        for group in self.plan.platforms[self.platform].ad_groups:
            yield from self._group(group)

    def _campaign(self) -> dict[str, Any]:
        said = self.plan.platforms[self.platform].options
        fields: dict[str, Any] = {"name": self.plan.name, "status": "paused", **self._money("campaign"), **self._dates}
        fields |= self._declared("campaign") | self._countries()
        return fields | {name: value for name, value in said.items() if self._can("campaign", name)}

    @property
    def _by_campaign(self) -> bool:
        """Whether the platform shows all ad groups of a campaign in the same countries."""
        return self._can("campaign", "countries") and not self._can("ad_group", "countries")

    def _countries(self) -> dict[str, Any]:
        """The countries of a campaign, where the platform has them by campaign."""
        said = {tuple(sorted(group.countries)) for group in self.plan.platforms[self.platform].ad_groups}
        if not self._by_campaign or said == {()}:
            return {}
        if len(said) > 1:
            raise CannotRun(
                f"{self.platform}: countries: expected the same for all ad groups, which share a campaign's"
            )
        return {"countries": list(said.pop())}

    def _group(self, group: PlannedAdGroup) -> Iterator[CampaignPart]:
        key = f"ad_group:{group.name}"
        bid = self.numbers.bids.get(f"{self.platform}/{group.name}", group.bid)
        lists = {
            "audiences": [f"{PART}audience:{one}" for one in group.audiences],
            "placements": list(group.placements),
            "countries": [] if self._by_campaign else list(group.countries),
        }
        fields: dict[str, Any] = {"name": group.name, "status": "live", **self._declared("ad_group")}
        fields |= {name: value for name, value in lists.items() if value} | ({} if bid is None else {"bid": bid})
        if not self._can("campaign", "daily_budget"):
            fields |= self._money("ad_group") | self._dates
        options = self.plan.platforms[self.platform].options
        fields |= {
            name: value
            for name, value in options.items()
            if self._can("ad_group", name) and not self._can("campaign", name)
        }
        yield CampaignPart(key, "ad_group", fields, "campaign")
        yield from (self._keyword("keyword", one, key) for one in group.keywords)
        negative_of = "campaign" if self._can("negative_keyword", "keyword") else key
        yield from (self._keyword("negative_keyword", one, negative_of) for one in group.negative_keywords)
        for ad in group.ads:
            yield from self._ad(ad, key)

    def _keyword(self, kind: str, one: PlannedKeyword, parent: str) -> CampaignPart:
        fields: dict[str, Any] = {"keyword": one.text, "match": one.match, "status": "live"}
        if one.bid is not None:
            fields["bid"] = one.bid
        return CampaignPart(f"{kind}:{parent}:{one.match}:{one.text}", kind, fields, parent)

    def _ad(self, ad: PlannedAd, group: str) -> Iterator[CampaignPart]:
        key = f"ad:{group.partition(':')[2]}:{ad.name}"
        url = tracked(ad.url, self.plan, self.platform)
        if self._can("ad", "post"):  # the ad shows a post of the account's page
            post = {"name": ad.name, "headline": ad.headlines[0], "text": " ".join(ad.bodies), "url": url}
            yield CampaignPart(
                f"post:{key}", "post", {name: one for name, one in post.items() if self._can("post", name)}
            )
            yield CampaignPart(key, "ad", {"name": ad.name, "status": "live", "post": f"{PART}post:{key}"}, group)
            return
        fields = {"name": ad.name, "status": "live", "headlines": list(ad.headlines), "url": url}
        fields |= {"bodies": list(ad.bodies)} if ad.bodies else {}
        yield CampaignPart(key, "ad", fields | ({"image": ad.image} if ad.image else {}), group)

    def _audiences(self) -> Iterator[CampaignPart]:
        used = {name for _, group in self.plan.groups() for name in group.audiences}
        for segment in self.plan.segments:
            if segment.name not in used:
                continue
            key = f"audience:{segment.name}"
            source = f"{key}:members" if segment.lookalike else key
            yield CampaignPart(source, "audience", {"name": f"{self.plan.name} {segment.name}"})
            members = self.numbers.members[segment.name]
            for start in range(0, len(members), CHUNK):
                some = list(members[start : start + CHUNK])
                fields = {"audience": f"{PART}{source}", "emails": some}
                yield CampaignPart(f"{key}:{_digest(some)}", "audience_members", fields, doing="send")
            if segment.lookalike:
                name = f"{self.plan.name} like {segment.name}"
                like = {"name": name, "like": f"{PART}{source}"}
                countries = {one for _, group in self.plan.groups() for one in group.countries}
                yield CampaignPart(key, "audience", like | ({"countries": sorted(countries)} if countries else {}))

    def _money(self, object: str) -> dict[str, Any]:
        """The platform's share of the budgets; on ad groups each has an equal part of it."""
        share = self.plan.share(self.platform)
        if object == "ad_group":
            share /= len(self.plan.platforms[self.platform].ad_groups)
        found = {"daily_budget": round(self.plan.budget.daily * share, 2)} if self._can(object, "daily_budget") else {}
        if self.plan.budget.total is not None and object == "campaign" and not found:
            found["total_budget"] = round(self.plan.budget.total * share, 2)
        return found

    @property
    def _dates(self) -> dict[str, str]:
        return {"starts_at": _iso(self.plan.starts_at.isoformat()), "ends_at": _iso(self.plan.ends_at.isoformat())}

    @property
    def _countries_of_campaign(self) -> bool:
        return self._can("campaign", "countries") and not self._can("ad_group", "countries")

    def _countries(self) -> dict[str, Any]:
        """The countries, where the platform sets them for a campaign as a whole. Raises `CannotRun`."""
        said = {one.countries for one in self.plan.platforms[self.platform].ad_groups}
        if not self._countries_of_campaign or said == {()}:
            return {}
        if len(said) > 1:
            raise CannotRun(f"{self.platform}: countries: expected those of the campaign in all ad groups")
        return {"countries": list(said.pop())}

    def _declared(self, object: str) -> dict[str, Any]:
        """Declarations in the words of the platform."""
        said = self.plan.declarations
        special = ["ISSUES_ELECTIONS_POLITICS"] if said.political else []
        special += [_SPECIAL[one] for one in said.categories or () if one in _SPECIAL]
        words = {"eu_political": said.political, "political": said.political, "special_ad_categories": special}
        return {name: value for name, value in words.items() if self._can(object, name) and value is not None}

    def _can(self, object: str, name: str) -> bool:
        return object in self.able and name in self.able[object].fields


def _able(platform: str, part: CampaignPart, known: Mapping[str, Capability]) -> CampaignPart:
    """The part without what may be left out. Raises `CannotRun`."""
    able = known.get(part.object)
    if able is None or part.doing not in able.doings:
        raise CannotRun(f"{platform}: cannot {part.doing} {part.object} ({part.key})")
    fields = {name: value for name, value in part.fields.items() if name in able.fields or name not in FOR_PEOPLE}
    unknown = sorted(set(fields) - set(able.fields))
    if unknown:
        raise CannotRun(f"{platform}: cannot set {unknown[0]} of {part.object} ({part.key}); leave it out of the plan")
    missing = sorted(name for name, value in fields.items() if value is None)
    if missing:
        raise CannotRun(f"{platform}: {part.key}: {missing[0]}: expected under options")
    return CampaignPart(part.key, part.object, fields, part.parent, part.doing)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]


def _iso(moment: str) -> str:
    return moment.replace("+00:00", "Z")
