"""Gives an e-mail the hour that was drawn for its recipient."""

from dataclasses import replace
from datetime import datetime

from serving.campaigns.send_time.hours import HourCounts
from serving.campaigns.send_time.log import SendTimeLog
from serving.campaigns.send_time.policy import SendTimePolicy, draw, send_at
from serving.integrations.change import Change


def scheduled(
    change: Change, policy: SendTimePolicy, counts: HourCounts, log: SendTimeLog, segment: str, zone: str, now: datetime
) -> Change:
    """The change with `send_at`, and its reason with the propensity. What was drawn is logged before it can leave.

    Args:
        change: sends an e-mail to a customer: has `customer_id` among its fields.
        zone: of the recipient's clock.
        now: from then on the e-mail may be sent.
    """
    customer = str(change.fields.get("customer_id") or "")
    if not customer:
        raise ValueError(f"change {change.change_id}: fields.customer_id: expected whom the e-mail is for, got none")
    drawn = log.record(change, draw(policy, counts, change.change_id, customer, segment))
    at = send_at(drawn.hour, zone, now)
    told = (
        f"{change.reason}; at {drawn.hour}:00 of the recipient's clock ({drawn.arm}, propensity {drawn.propensity:.3f})"
    )
    return replace(change, fields={**change.fields, "send_at": at.isoformat()}, reason=told)
