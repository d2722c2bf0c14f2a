"""The Events API: which e-mails were sent for which changes, and what was counted of a day."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from serving.integrations.change import Change
from serving.integrations.mailgun.calls import MailgunCalls
from serving.integrations.mailgun.message import CAMPAIGN, message_id

if TYPE_CHECKING:
    import pyarrow as pa

#: Most events of a page, and how long the longest plan keeps them.
_PAGE, _KEPT_S = 300, 30 * 86_400


def sent(calls: MailgunCalls, changes: Sequence[Change]) -> dict[str, str]:
    """Ids of e-mails by `change_id`."""
    ids = {message_id(change): change.change_id for change in changes}
    asked = {
        "begin": int(time.time()) - _KEPT_S,
        "ascending": "yes",
        "limit": _PAGE,
        "event": "accepted",
        "message-id": " OR ".join(ids),
    }
    found = dict[str, str]()
    for event in calls.pages(asked):
        place = str(event["message"]["headers"]["message-id"]).strip("<>")
        if place in ids:
            found[ids[place]] = place
    return found


def by_machine(event: Mapping[str, Any]) -> bool:
    """Whether a program opened or clicked, and no person."""
    return bool((event.get("client-info") or {}).get("bot"))


def read(calls: MailgunCalls, day: date) -> "dict[str, pa.Table]":
    """Tables `creatives` and `impressions` of a day: delivered e-mails and e-mails that people clicked in, by campaign.

    What programs click and open is left out.
    """
    import pyarrow as pa

    start = datetime.combine(day, datetime.min.time(), UTC)
    when = {"begin": int(start.timestamp()), "end": int((start + timedelta(days=1)).timestamp()), "limit": _PAGE}
    delivered, clicked = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for event in calls.pages({**when, "event": "delivered OR clicked"}):
        campaign = (event.get("user-variables") or {}).get(CAMPAIGN)
        if campaign and not by_machine(event):
            counted = clicked if event["event"] == "clicked" else delivered
            counted[campaign].add(str(event["message"]["headers"]["message-id"]))
    campaigns = sorted(delivered)
    creatives = {"creative_id": campaigns, "campaign_id": campaigns, "format": ["email"] * len(campaigns)}
    impressions = {
        "creative_id": campaigns,
        "campaign_id": campaigns,
        "channel": ["email"] * len(campaigns),
        "occurred_at": pa.array([start.replace(tzinfo=None)] * len(campaigns), pa.timestamp("us")),
        "impressions": [float(len(delivered[one])) for one in campaigns],
        # a click may come a day after its e-mail was delivered
        "clicks": [float(min(len(clicked[one]), len(delivered[one]))) for one in campaigns],
    }
    tables = {"creatives": pa.table(creatives), "impressions": pa.table(impressions)}
    return tables if campaigns else {}
