"""What SendGrid counted of a day, by campaign."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from serving.integrations.sendgrid.calls import SendGridCalls

if TYPE_CHECKING:
    import pyarrow as pa

#: Categories of one page, and of one report.
_PAGE, _REPORT = 500, 10


def read(calls: SendGridCalls, day: date) -> "dict[str, pa.Table]":
    """Tables `creatives` and `impressions` of a day: delivered e-mails and people who clicked, by campaign.

    Opens are left out: SendGrid counts those of mail programs that open by themselves among them.
    """
    import pyarrow as pa

    counted = [one for one in _counts(calls, day) if one["metrics"]["delivered"]]
    campaigns = [one["name"] for one in counted]
    creatives = {"creative_id": campaigns, "campaign_id": campaigns, "format": ["email"] * len(campaigns)}
    impressions = {
        "creative_id": campaigns,
        "campaign_id": campaigns,
        "channel": ["email"] * len(campaigns),
        "occurred_at": pa.array([datetime.combine(day, datetime.min.time())] * len(campaigns), pa.timestamp("us")),
        "impressions": [float(one["metrics"]["delivered"]) for one in counted],
        # a click may come a day after its e-mail was delivered
        "clicks": [float(min(one["metrics"]["unique_clicks"], one["metrics"]["delivered"])) for one in counted],
    }
    tables = {"creatives": pa.table(creatives), "impressions": pa.table(impressions)}
    return tables if counted else {}


def _counts(calls: SendGridCalls, day: date) -> Iterator[dict[str, Any]]:
    names = list(_categories(calls))
    for start in range(0, len(names), _REPORT):
        when = {"start_date": day.isoformat(), "end_date": day.isoformat(), "aggregated_by": "day"}
        said = calls.ask("get", "categories/stats", {**when, "categories": names[start : start + _REPORT]}).body
        for told in said or []:
            yield from told["stats"]


def _categories(calls: SendGridCalls) -> Iterator[str]:
    offset = 0
    while True:
        page = calls.ask("get", "categories", {"limit": _PAGE, "offset": offset}).body or []
        yield from (one["category"] for one in page)
        offset += _PAGE
        if len(page) < _PAGE:
            return
