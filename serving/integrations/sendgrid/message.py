"""An e-mail as SendGrid takes it."""

from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Change, PlatformFault
from serving.integrations.platform import CallRefused

#: Names of `custom_args`, which come back with every event. The marker finds the e-mail in the activity feed.
MARKER, CUSTOMER, CAMPAIGN = "adloop", "adloop_customer", "adloop_campaign"
FIELDS = ("to", "subject", "body", "template", "values", "send_at", "group", "customer_id")


def payload(change: Change, sender: str, sandbox: bool) -> dict[str, Any]:
    """The body of a call of `mail/send`."""
    fields = change.fields
    person: dict[str, Any] = {"to": [{"email": fields.get("to", "")}]}
    if "values" in fields:
        person["dynamic_template_data"] = fields["values"]
    arguments = {MARKER: change.marker, CUSTOMER: str(fields.get("customer_id", "")), CAMPAIGN: change.campaign}
    made: dict[str, Any] = {
        "from": {"email": sender},
        "personalizations": [person],
        "custom_args": {name: value for name, value in arguments.items() if value},
        "mail_settings": {"sandbox_mode": {"enable": sandbox}},
    }
    if "subject" in fields:
        made["subject"] = fields["subject"]
    if "body" in fields:
        made["content"] = [{"type": "text/html", "value": fields["body"]}]
    if "template" in fields:
        made["template_id"] = fields["template"]
    if "send_at" in fields:
        made["send_at"] = _seconds(fields["send_at"])
    if "group" in fields:
        made["asm"] = {"group_id": fields["group"]}
    if change.campaign:
        made["categories"] = [change.campaign]
    return made


def _seconds(moment: str) -> int:
    """Unix seconds of a time in UTC."""
    try:
        return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())
    except ValueError:
        fault = f"expected a time such as 2026-11-30T08:00:00, got '{moment}'"
        raise CallRefused(PlatformFault("time", fault, "send_at")) from None
