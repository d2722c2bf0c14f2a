"""Mailgun's webhooks: one event each, signed by HMAC-SHA256 over a timestamp and a token that is used once."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from mailgun.security import SecurityGuard
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings
from serving.integrations.credentials import read as settings
from serving.integrations.mailgun.events import by_machine
from serving.integrations.mailgun.message import CAMPAIGN, CUSTOMER, MARKER
from serving.integrations.webhooks.events import BadWebhook, Delivery, EventKind, PlatformEvent, WrongSignature

#: Seconds that a signature counts for: Mailgun posts again for eight hours.
_AGE_S = 86_400
_KINDS: dict[str, EventKind] = {
    "accepted": "sent",
    "delivered": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
    "rejected": "dropped",
}


class MailgunWebhook(PlatformSettings):
    """What webhooks are checked by; the server that takes them needs no API key.

    Attributes:
        webhook_key: the HTTP webhook signing key.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_MAILGUN_")

    domain: str
    webhook_key: Annotated[SecretStr, Field(min_length=1)]


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """The event of a webhook."""
    known = settings(MailgunWebhook)
    try:
        said = json.loads(body)
        signed, event = said["signature"], said["event-data"]
        token, moment, signature = signed["token"], signed["timestamp"], signed["signature"]
        key = known.webhook_key.get_secret_value()
        right = SecurityGuard.verify_webhook(key, token, moment, signature, _AGE_S)
    except (ValueError, KeyError, TypeError):
        raise WrongSignature("mailgun: expected a body with a signature") from None
    if not right:
        raise WrongSignature("mailgun: the signature is wrong, or older than a day")
    try:
        kind = _kind(event)
        events = (_event(known.domain, kind, event),) if kind else ()
    except (ValueError, KeyError, TypeError) as fault:
        raise BadWebhook(f"mailgun: expected an event, got something else ({fault!r})") from None
    return Delivery("mailgun", events, str(token))


def _kind(event: Mapping[str, Any]) -> EventKind | None:
    """None for what is no event of an e-mail."""
    if event["event"] == "failed":
        return "bounced" if event.get("severity") == "permanent" else "deferred"
    return _KINDS.get(event["event"])


def _event(domain: str, kind: EventKind, event: Mapping[str, Any]) -> PlatformEvent:
    variables = event.get("user-variables") or {}
    return PlatformEvent(
        "mailgun",
        domain,
        str(event["id"]),
        kind,
        float(event["timestamp"]),
        message_id=str(event["message"]["headers"]["message-id"]),
        marker=str(variables.get(MARKER, "")),
        customer_id=str(variables.get(CUSTOMER, "")),
        campaign_id=str(variables.get(CAMPAIGN, "")),
        machine=by_machine(event),
    )
