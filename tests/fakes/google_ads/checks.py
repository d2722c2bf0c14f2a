"""What Google checks of resources before it keeps them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.google_ads.failures import Refusal
from tests.fakes.google_ads.state import COUNTRIES, GoogleAdsState

REMOVED = 4
#: Smallest unit of the account's currency, and the largest amounts.
UNIT, MOST_BUDGET, MOST_BID = 10_000, 10**13, 10**10
IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "campaign": ("advertising_channel_type", "id"),
    "ad_group": ("campaign", "id"),
    "ad_group_criterion": ("ad_group", "keyword.text", "keyword.match_type", "negative"),
    "campaign_criterion": ("campaign", "keyword.text", "keyword.match_type", "negative"),
    "ad_group_ad": ("ad_group", "ad"),
}
BIDDING = (
    "manual_cpc",
    "maximize_conversions",
    "maximize_conversion_value",
    "target_spend",
    "target_cpa",
    "target_roas",
)
Check = Callable[[GoogleAdsState, Any], None]


def check(state: GoogleAdsState, resource: str, made: Any) -> None:
    """Check a new resource. Raises `Refusal`."""
    for field in _REQUIRED[resource]:
        if not getattr(made, field):
            raise Refusal("field_error.REQUIRED", "The required field was not present.", field)
    if made.status == REMOVED:
        raise Refusal("field_error.INVALID_VALUE", "A new resource cannot be removed.", "status")
    _NEW.get(resource, _nothing)(state, made)
    _CHECKS[resource](state, made)


def check_update(state: GoogleAdsState, resource: str, changed: Any) -> None:
    """Check a resource as an update leaves it. Raises `Refusal`."""
    if changed.status == REMOVED:
        raise Refusal("field_error.INVALID_VALUE", "Use a remove operation.", "status")
    if resource == "campaign_criterion":
        raise Refusal(
            "campaign_criterion_error.CANNOT_UPDATE_NEGATIVE_CRITERION", "Negative criteria stay as they are."
        )
    _CHECKS[resource](state, changed)


def _nothing(_: GoogleAdsState, __: Any) -> None:
    pass


def _budget(_: GoogleAdsState, budget: Any) -> None:
    amount = budget.amount_micros
    if amount < 0:
        raise Refusal("campaign_budget_error.NEGATIVE_MONEY_AMOUNT", "The amount is negative.", "amount_micros")
    if amount > MOST_BUDGET:
        raise Refusal("campaign_budget_error.MONEY_AMOUNT_TOO_LARGE", "A money amount was too large.", "amount_micros")
    if amount == 0:
        raise Refusal("field_error.REQUIRED", "The required field was not present.", "amount_micros")
    if amount % UNIT:
        message = "A money amount is not a multiple of a minimum unit."
        raise Refusal("campaign_budget_error.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", message, "amount_micros")


def _bid(_: GoogleAdsState, one: Any) -> None:
    bid = one.cpc_bid_micros
    if bid > MOST_BID:
        raise Refusal("bidding_error.BID_TOO_BIG", "The bid value is too big.", "cpc_bid_micros")
    if bid < 0 or (one.HasField("cpc_bid_micros") and not bid):
        raise Refusal("bidding_error.BID_TOO_SMALL", "The bid value is too small.", "cpc_bid_micros")
    if bid % UNIT:
        message = "The number of digits in the fractional part of the bid is too many."
        raise Refusal("bidding_error.BID_TOO_MANY_FRACTIONAL_DIGITS", message, "cpc_bid_micros")


def _new_campaign(state: GoogleAdsState, campaign: Any) -> None:
    if campaign.contains_eu_political_advertising == 0:
        message = "The required field was not present."
        raise Refusal("field_error.REQUIRED", message, "contains_eu_political_advertising")
    if not any(campaign.HasField(one) for one in BIDDING) and not campaign.bidding_strategy:
        raise Refusal("field_error.REQUIRED", "The required field was not present.", "campaign_bidding_strategy")
    budget = state.get(campaign.campaign_budget)
    if budget is None:
        raise Refusal("mutate_error.RESOURCE_NOT_FOUND", "Resource was not found.", "campaign_budget")
    if budget.reference_count and budget.HasField("explicitly_shared") and not budget.explicitly_shared:
        message = "Only explicitly shared campaign budgets can be used with multiple campaigns."
        code = "campaign_budget_error.CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS"
        raise Refusal(code, message, "campaign_budget")


def _campaign(state: GoogleAdsState, campaign: Any) -> None:
    if _taken(campaign, state.resources["campaign"].values()):
        raise Refusal("campaign_error.DUPLICATE_CAMPAIGN_NAME", "A campaign with this name already exists.", "name")
    begin = _time(campaign.start_date_time, "start_date_time")
    end = _time(campaign.end_date_time, "end_date_time")
    if begin and begin.strftime("%H:%M:%S") != "00:00:00":
        code = "date_error.DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY"
        raise Refusal(code, "The start must be the start of a day.", "start_date_time")
    if end and end.strftime("%H:%M:%S") != "23:59:59":
        code = "date_error.DATE_RANGE_ERROR_END_TIME_MUST_BE_THE_END_OF_A_DAY"
        raise Refusal(code, "The end must be the end of a day.", "end_date_time")
    if begin and end and end < begin:
        raise Refusal("date_range_error.START_DATE_AFTER_END_DATE", "The start is after the end.", "start_date_time")


def _time(said: str, field: str) -> datetime | None:
    if not said:
        return None
    try:
        return datetime.strptime(said, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        message = "The string date time's format should be yyyy-mm-dd hh:mm:ss."
        raise Refusal("date_error.INVALID_STRING_DATE_TIME_SECONDS", message, field) from None


def _ad_group(state: GoogleAdsState, group: Any) -> None:
    _belongs(state.get(group.campaign), "campaign")
    siblings = (one for one in state.resources["ad_group"].values() if one.campaign == group.campaign)
    if _taken(group, siblings):
        raise Refusal("ad_group_error.DUPLICATE_ADGROUP_NAME", "AdGroup with the same name already exists.", "name")
    _bid(state, group)


def _taken(named: Any, others: Iterable[Any]) -> bool:
    return any(
        one.name == named.name and one.status != REMOVED and one.resource_name != named.resource_name for one in others
    )


def _belongs(owner: Any, field: str) -> None:
    if owner is None:
        raise Refusal("mutate_error.RESOURCE_NOT_FOUND", "Resource was not found.", field)
    if owner.status == REMOVED:
        raise Refusal("mutate_error.MUTATE_NOT_ALLOWED", "The resource was removed.", field)


def _keyword(keyword: Any) -> None:
    text = keyword.text
    if not text.strip():
        raise Refusal("field_error.REQUIRED", "The required field was not present.", "keyword.text")
    if keyword.match_type == 0:
        raise Refusal("field_error.REQUIRED", "The required field was not present.", "keyword.match_type")
    if len(text) > 80:
        raise Refusal(
            "criterion_error.KEYWORD_TEXT_TOO_LONG", "Keyword text cannot exceed 80 characters.", "keyword.text"
        )
    if len(text.split()) > 10:
        message = "Keyword text contains too many words."
        raise Refusal("criterion_error.KEYWORD_HAS_TOO_MANY_WORDS", message, "keyword.text")
    if set(text) & set("!@%,*();?<>~`^={}|\\"):
        message = "Keyword text has invalid characters or symbols."
        raise Refusal("criterion_error.KEYWORD_HAS_INVALID_CHARS", message, "keyword.text")


def _ad_group_criterion(state: GoogleAdsState, criterion: Any) -> None:
    _belongs(state.get(criterion.ad_group), "ad_group")
    _keyword(criterion.keyword)
    _bid(state, criterion)


def _campaign_criterion(state: GoogleAdsState, criterion: Any) -> None:
    _belongs(state.get(criterion.campaign), "campaign")
    if criterion.negative and criterion.status:
        code = "campaign_criterion_error.CANNOT_SET_STATUS_FOR_EXCLUDED_CRITERIA"
        raise Refusal(code, "The status of an excluded criterion cannot be set.", "status")
    if not criterion.HasField("location"):
        _keyword(criterion.keyword)
    elif criterion.location.geo_target_constant not in COUNTRIES.values():
        message = "The criterion cannot be targeted."
        raise Refusal("criterion_error.CANNOT_TARGET_CRITERION", message, "location.geo_target_constant")


def _ad_group_ad(state: GoogleAdsState, one: Any) -> None:
    _belongs(state.get(one.ad_group), "ad_group")
    _ad(one.ad, "ad.")


def _ad_alone(_: GoogleAdsState, one: Any) -> None:
    _ad(one.ad, "")


def _ad(ad: Any, at: str) -> None:
    """A responsive search ad: 3 to 15 headlines of 30 characters, 2 to 4 descriptions of 90, and where it leads."""
    _texts(ad.responsive_search_ad.headlines, 3, 15, 30, f"{at}responsive_search_ad.headlines")
    _texts(ad.responsive_search_ad.descriptions, 2, 4, 90, f"{at}responsive_search_ad.descriptions")
    if not ad.final_urls:
        raise Refusal("field_error.REQUIRED", "The required field was not present.", f"{at}final_urls")
    for place, url in enumerate(ad.final_urls):
        if urlsplit(url).scheme not in ("http", "https"):
            raise Refusal("url_field_error.MISSING_PROTOCOL_IN_FINAL_URL", "No protocol.", f"{at}final_urls[{place}]")


def _texts(assets: Iterable[Any], least: int, most: int, longest: int, path: str) -> None:
    texts = [one.text for one in assets]
    if len(texts) < least:
        raise Refusal("collection_size_error.TOO_FEW", "Too few.", path)
    if len(texts) > most:
        raise Refusal("collection_size_error.TOO_MANY", "Too many.", path)
    for place, text in enumerate(texts):
        if len(text) > longest:
            raise Refusal("string_length_error.TOO_LONG", "Too long.", f"{path}[{place}].text")
    if len(set(texts)) < len(texts):
        raise Refusal("ad_error.INVALID_INPUT", "Assets of an ad must differ.", path)


_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "campaign": ("name", "campaign_budget", "advertising_channel_type"),
    "campaign_budget": ("amount_micros",),
    "ad_group": ("name", "campaign"),
    "ad_group_criterion": ("ad_group",),
    "campaign_criterion": ("campaign",),
    "ad_group_ad": ("ad_group",),
}
_NEW: Mapping[str, Check] = {"campaign": _new_campaign}
_CHECKS: Mapping[str, Check] = {
    "campaign": _campaign,
    "campaign_budget": _budget,
    "ad_group": _ad_group,
    "ad_group_criterion": _ad_group_criterion,
    "campaign_criterion": _campaign_criterion,
    "ad_group_ad": _ad_group_ad,
    "ad": _ad_alone,
}
