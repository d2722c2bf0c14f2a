"""An e-mail as Mailgun takes it."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from serving.integrations.change import Change, PlatformFault
from serving.integrations.platform import CallRefused

#: Names of variables, which come back with every event.
MARKER, CUSTOMER, CAMPAIGN = "adloop", "adloop_customer", "adloop_campaign"
FIELDS = ("to", "subject", "body", "template", "values", "send_at", "customer_id")
_PARAMETERS = {"to": "to", "subject": "subject", "body": "html", "template": "template"}


def message_id(change: Change) -> str:
    """The Message-Id of the change's e-mail."""
    return f"{change.marker}@{change.account}"


def form(change: Change, sender: str, test: bool) -> dict[str, Any]:
    """The form of a call of `messages`."""
    fields = change.fields
    made: dict[str, Any] = {_PARAMETERS[name]: fields[name] for name in _PARAMETERS if name in fields}
    made |= {"from": sender, "h:Message-Id": f"<{message_id(change)}>", f"v:{MARKER}": change.marker}
    if "values" in fields:
        made["t:variables"] = json.dumps(fields["values"])
    if "send_at" in fields:
        made["o:deliverytime"] = _rfc_2822(fields["send_at"])
    if fields.get("customer_id"):
        made[f"v:{CUSTOMER}"] = fields["customer_id"]
    if change.campaign:
        made |= {f"v:{CAMPAIGN}": change.campaign, "o:tag": change.campaign}
    if test:
        made["o:testmode"] = "yes"
    return made


def _rfc_2822(moment: str) -> str:
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        fault = f"expected a time such as 2026-11-30T08:00:00, got '{moment}'"
        raise CallRefused(PlatformFault("time", fault, "send_at")) from None
    return format_datetime(at if at.tzinfo else at.replace(tzinfo=UTC))
