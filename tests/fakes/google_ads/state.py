"""What the fake keeps of one account: its resources as Google's own messages, edits, and days of reports."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from google.ads.googleads.v26.resources.types.ad_group import AdGroup
from google.ads.googleads.v26.resources.types.ad_group_ad import AdGroupAd
from google.ads.googleads.v26.resources.types.ad_group_criterion import AdGroupCriterion
from google.ads.googleads.v26.resources.types.campaign import Campaign
from google.ads.googleads.v26.resources.types.campaign_budget import CampaignBudget
from google.ads.googleads.v26.resources.types.campaign_criterion import CampaignCriterion
from google.ads.googleads.v26.resources.types.change_event import ChangeEvent
from google.ads.googleads.v26.resources.types.customer import Customer
from google.ads.googleads.v26.resources.types.geo_target_constant import GeoTargetConstant
from google.protobuf.json_format import MessageToDict

from serving.integrations.change import Fields

CUSTOMER, OWN_EMAIL = "1234567890", "adloop@example.org"
MESSAGES = {
    "campaign": Campaign.pb(),
    "campaign_budget": CampaignBudget.pb(),
    "ad_group": AdGroup.pb(),
    "ad_group_ad": AdGroupAd.pb(),
    "ad_group_criterion": AdGroupCriterion.pb(),
    "campaign_criterion": CampaignCriterion.pb(),
}
#: The last part of resource names, by resource.
COLLECTIONS = {
    "campaign": "campaigns",
    "campaign_budget": "campaignBudgets",
    "ad_group": "adGroups",
    "ad_group_ad": "adGroupAds",
    "ad_group_criterion": "adGroupCriteria",
    "campaign_criterion": "campaignCriteria",
    "ad": "ads",
}
#: Some of Google's countries: 2000 and the number of ISO 3166.
COUNTRIES = {
    code: f"geoTargetConstants/{2000 + number}"
    for code, number in {"AT": 40, "CH": 756, "DE": 276, "FR": 250, "GB": 826, "US": 840}.items()
}
_SIGNED = re.compile(r"\[adloop ([0-9a-f]{16})\]")
_STATUS = {"live": 2, "paused": 3, "removed": 4}


@dataclass(frozen=True)
class ReportedDay:
    """What an ad did on a day in one network (an `AdNetworkType`)."""

    day: str
    ad: str
    network: int
    impressions: int
    clicks: int
    cost_micros: int
    conversions: float
    value: float


class GoogleAdsState:
    """An account with one campaign, ad group, keyword and ad."""

    def __init__(self, zone: str = "Europe/Berlin") -> None:
        self.resources: dict[str, dict[str, Any]] = {name: {} for name in MESSAGES}
        self.events, self.days, self.next_id = list[Any](), list[ReportedDay](), 1000
        self.countries = [
            GeoTargetConstant.pb()(resource_name=name, country_code=code, target_type="Country")
            for code, name in COUNTRIES.items()
        ]
        self._journal = list[tuple[str, str, Any]]()
        self.zone, self.page_size = ZoneInfo(zone), 10_000
        self.customer = Customer.pb()(
            resource_name=f"customers/{CUSTOMER}",
            id=int(CUSTOMER),
            descriptive_name="Shop",
            currency_code="EUR",
            time_zone=zone,
        )

    # What mutates use

    def name(self, resource: str, place: str) -> str:
        return f"customers/{CUSTOMER}/{COLLECTIONS[resource]}/{place}"

    def get(self, name: str) -> Any:
        """The resource of a name; None where there is none."""
        collection = name.rsplit("/", 2)[-2] if name.count("/") > 1 else ""
        kind = next((one for one, theirs in COLLECTIONS.items() if theirs == collection), "")
        return self.resources.get(kind, {}).get(name)

    def put(self, resource: str, message: Any) -> None:
        """Replace a resource, or add it."""
        kept = self.resources[resource]
        self._journal.append((resource, message.resource_name, kept.get(message.resource_name)))
        kept[message.resource_name] = message

    def commit(self) -> None:
        self._journal.clear()

    def mark(self) -> tuple[int, int]:
        """A point to go back to."""
        return len(self._journal), len(self.events)

    def back_to(self, mark: tuple[int, int]) -> None:
        while len(self._journal) > mark[0]:
            resource, name, before = self._journal.pop()
            if before is None:
                del self.resources[resource][name]
            else:
                self.resources[resource][name] = before
        del self.events[mark[1] :]

    def fresh_id(self) -> int:
        self.next_id += 1
        return self.next_id

    def happened(self, resource: str, name: str, paths: Sequence[str], client: str, email: str, doing: str) -> None:
        """Note an edit in the change history. `name` of an ad is its own, not that of its place in an ad group."""
        event = ChangeEvent.pb()(
            resource_name=f"customers/{CUSTOMER}/changeEvents/{time.time_ns()}~{len(self.events)}",
            change_date_time=datetime.now(UTC).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S.%f"),
            change_resource_type=resource.upper(),
            change_resource_name=name,
            client_type=client,
            user_email=email,
            resource_change_operation=doing,
        )
        event.changed_fields.paths.extend(paths)
        self.events.append(event)

    # What every fake's state has

    def objects(self) -> Mapping[str, Any]:
        return {
            name: MessageToDict(message, preserving_proto_field_name=True)
            for kept in self.resources.values()
            for name, message in kept.items()
        }

    def markers(self) -> Sequence[str]:
        names = [one.name for kind in ("campaign", "ad_group") for one in self.resources[kind].values()]
        found = [marker for name in names for marker in _SIGNED.findall(name)]
        for one in self.resources["ad_group_ad"].values():
            found += [parameter.value for parameter in one.ad.url_custom_parameters if parameter.key == "adloop"]
        return found

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        resource = {"keyword": "ad_group_criterion", "negative_keyword": "campaign_criterion", "ad": "ad_group_ad"}
        for field, value in fields.items():
            kind = resource.get(object, object)
            name = self.name(kind, object_id)
            if field == "daily_budget":
                kind, name = "campaign_budget", self.resources["campaign"][name].campaign_budget
            message = MESSAGES[kind]()
            message.CopyFrom(self.resources[kind][name])
            path = {"daily_budget": "amount_micros", "bid": "cpc_bid_micros"}.get(field, field)
            setattr(message, path, _theirs(field, value))
            self.put(kind, message)
            self.happened(kind, name, [path], "GOOGLE_ADS_WEB_CLIENT", by, "UPDATE")
        self.commit()


def _theirs(field: str, value: Any) -> Any:
    if field in ("daily_budget", "bid"):
        return round(value * 1_000_000)
    return _STATUS[value] if field == "status" else value


def shop() -> GoogleAdsState:
    """An account with a campaign that has run for ninety days."""
    state = GoogleAdsState()
    budget = MESSAGES["campaign_budget"](id=1, name="Shoes", amount_micros=50_000_000, status=2, reference_count=1)
    budget.resource_name = state.name("campaign_budget", "1")
    campaign = MESSAGES["campaign"](
        id=11,
        name="Shoes",
        status=2,
        campaign_budget=budget.resource_name,
        advertising_channel_type=2,
        contains_eu_political_advertising=3,
        start_date_time="2026-01-01 00:00:00",
        end_date_time="2037-12-30 23:59:59",
    )
    campaign.resource_name = state.name("campaign", "11")
    campaign.manual_cpc.SetInParent()
    group = MESSAGES["ad_group"](id=21, name="Running", status=2, campaign=campaign.resource_name)
    group.resource_name, group.cpc_bid_micros = state.name("ad_group", "21"), 400_000
    keyword = MESSAGES["ad_group_criterion"](criterion_id=31, status=2, type_=2, ad_group=group.resource_name)
    keyword.resource_name, keyword.cpc_bid_micros = state.name("ad_group_criterion", "21~31"), 500_000
    keyword.keyword.text, keyword.keyword.match_type = "running shoes", 3
    keyword.quality_info.quality_score = 7
    ad = MESSAGES["ad_group_ad"](
        resource_name=state.name("ad_group_ad", "21~41"), status=2, ad_group=group.resource_name
    )
    ad.ad.id, ad.ad.type_, ad.ad.resource_name = 41, 15, state.name("ad", "41")
    ad.ad.final_urls.append("https://shop.example/running")
    for text in ("Running shoes", "Free returns", "Made to last"):
        ad.ad.responsive_search_ad.headlines.add(text=text)
    for text in ("Shoes for every road.", "Order today, run tomorrow."):
        ad.ad.responsive_search_ad.descriptions.add(text=text)
    ones = (budget, campaign, group, keyword, ad)
    kinds = ("campaign_budget", "campaign", "ad_group", "ad_group_criterion", "ad_group_ad")
    for kind, message in zip(kinds, ones, strict=True):
        state.put(kind, message)
    state.commit()
    state.days = _days(ad.resource_name)
    return state


def _days(ad: str) -> list[ReportedDay]:
    today = datetime.now(UTC).date()
    return [one for back in range(1, 91) for one in _day(ad, today - timedelta(days=back))]


def _day(ad: str, day: date) -> list[ReportedDay]:
    """Two networks, with numbers that the date alone decides."""
    base = 100 + day.toordinal() % 50
    return [
        ReportedDay(
            str(day), ad, network, base * share, base * share // 20, base * share * 20_000, share / 2, share * 40.0
        )
        for network, share in ((2, 4), (3, 1))
    ]
