"""Reads LinkedIn: what ads reached in a day (which is UTC there), and who filled in lead forms."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from serving.integrations.linkedin import fields
from serving.integrations.linkedin.restli import RestliClient, listed, text

if TYPE_CHECKING:
    import pyarrow as pa

_METRICS = (
    "pivotValues",
    "impressions",
    "clicks",
    "costInLocalCurrency",
    "externalWebsiteConversions",
    "oneClickLeads",
    "totalEngagements",
)
#: Answers of lead forms that become attributes of customers. Names, addresses and telephone numbers are not kept.
_ATTRIBUTES = {
    "COMPANY_NAME": "company",
    "COMPANY_SIZE": "company_size",
    "COUNTRY": "country",
    "INDUSTRY": "industry",
    "JOB_FUNCTION": "job_function",
    "JOB_TITLE": "job_title",
    "SENIORITY": "seniority",
}
_EMAILS = ("WORK_EMAIL", "EMAIL")


def read(api: RestliClient, account: str, day: date, forms: bool) -> "Mapping[str, pa.Table]":
    """Impressions, creatives, and of lead `forms` customers, touches and interactions of a day."""
    import pyarrow as pa

    campaigns = {
        str(one["id"]): fields.id_of(one.get("campaignGroup", ""))
        for one in api.by_cursor(f"adAccounts/{account}/adCampaigns", "q=search")
    }
    ads = {fields.id_of(one["id"]): one for one in api.by_cursor(f"adAccounts/{account}/creatives", "q=criteria")}
    leads = [_lead(one, campaigns) for one in (_responses(api, account, day) if forms else ())]
    rows = {
        "creatives": [_creative(key, one, campaigns) for key, one in ads.items()],
        "impressions": [_impression(one, ads, campaigns, day) for one in _analytics(api, account, day)],
        "customers": list(
            {lead["customer_id"]: {**lead["attributes"], "customer_id": lead["customer_id"]} for lead in leads}.values()
        ),
        "touches": [{name: value for name, value in lead.items() if name != "attributes"} for lead in leads],
        "interactions": [
            {"customer_id": lead["customer_id"], "occurred_at": lead["occurred_at"], "kind": "content"}
            for lead in leads
        ],
    }
    return {table: pa.Table.from_pylist(found) for table, found in rows.items() if found}


def _analytics(api: RestliClient, account: str, day: date) -> list[Mapping[str, Any]]:
    """The day's metrics by ad. The report has no pages."""
    at = f"(year:{day.year},month:{day.month},day:{day.day})"
    accounts = listed([fields.ACCOUNT + account])
    found: list[Mapping[str, Any]] = api.get(
        f"adAnalytics?q=analytics&pivot=CREATIVE&timeGranularity=DAILY&dateRange=(start:{at},end:{at})"
        f"&accounts={accounts}&fields={','.join(_METRICS)}"
    )["elements"]
    return found


def _impression(
    row: Mapping[str, Any], ads: Mapping[str, Mapping[str, Any]], campaigns: Mapping[str, str], day: date
) -> dict[str, Any]:
    ad = fields.id_of(row["pivotValues"][0])
    campaign = fields.id_of(ads.get(ad, {}).get("campaign", ""))
    return {
        "creative_id": ad,
        "campaign_id": campaigns.get(campaign) or None,
        "channel": "linkedin",
        "audience": campaign or None,  # a campaign of LinkedIn is one audience
        "occurred_at": datetime.combine(day, datetime.min.time()),
        "impressions": float(row.get("impressions", 0)),
        "clicks": float(row.get("clicks", 0)),
        "conversions": float(row.get("externalWebsiteConversions", 0) + row.get("oneClickLeads", 0)),
        "engagements": float(row.get("totalEngagements", 0)),
        "spend": float(row.get("costInLocalCurrency", 0)),
    }


def _creative(key: str, ad: Mapping[str, Any], campaigns: Mapping[str, str]) -> dict[str, Any]:
    campaign = campaigns.get(fields.id_of(ad.get("campaign", "")))
    return {"creative_id": key, "campaign_id": campaign, "headline": fields.unmarked(ad.get("name", "")) or None}


def _responses(api: RestliClient, account: str, day: date) -> list[Mapping[str, Any]]:
    start = datetime.combine(day, datetime.min.time(), UTC)
    end = start + timedelta(days=1)
    span = f"(start:{round(start.timestamp() * 1000)},end:{round(end.timestamp() * 1000)})"
    owner = f"(sponsoredAccount:{text(fields.ACCOUNT + account)})"
    query = f"q=owner&owner={owner}&leadType=(leadType:SPONSORED)&limitedToTestLeads=false&submittedAtTimeRange={span}"
    return list(api.by_count("leadFormResponses", f"{query}&fields={_LEAD_FIELDS}"))


_LEAD_FIELDS = "id,submittedAt,testLead,formResponse,leadMetadata,form:(id,content)"


def _lead(response: Mapping[str, Any], campaigns: Mapping[str, str]) -> dict[str, Any]:
    """A touch of the customer, and the attributes that it told."""
    asked = response.get("form", {}).get("content", {}).get("questions", ())
    fields_of = {question["questionId"]: question.get("predefinedField", "") for question in asked}
    said = dict[str, str]()
    for answer in response.get("formResponse", {}).get("answers", ()):
        value = answer.get("answerDetails", {}).get("textQuestionAnswer", {}).get("answer")
        if value:
            said[fields_of.get(answer["questionId"], "")] = value
    campaign = fields.id_of(response.get("leadMetadata", {}).get("sponsoredLeadMetadata", {}).get("campaign", ""))
    at = datetime.fromtimestamp(response["submittedAt"] / 1000, UTC).replace(tzinfo=None)
    return {
        "customer_id": _customer(said, response["id"]),
        "campaign_id": campaigns.get(campaign) or campaign,
        "channel": "linkedin",
        "occurred_at": at,
        "responded_at": at,
        "attributes": {name: said[theirs] for theirs, name in _ATTRIBUTES.items() if theirs in said},
    }


def _customer(said: Mapping[str, str], response: str) -> str:
    """The hash of the e-mail address, so that the same person is the same customer and the address is not kept."""
    email = next((said[name].strip().lower() for name in _EMAILS if name in said), "")
    return hashlib.sha256(email.encode()).hexdigest() if email else f"linkedin:{response}"
