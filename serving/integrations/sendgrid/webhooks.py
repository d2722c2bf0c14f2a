"""SendGrid's event webhook: a batch of events, signed by ECDSA over a timestamp and the body."""

import binascii
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from serving.integrations.credentials import NotConnected, PlatformSettings
from serving.integrations.credentials import read as settings
from serving.integrations.sendgrid.message import CAMPAIGN, CUSTOMER, MARKER
from serving.integrations.webhooks.events import BadWebhook, Delivery, EventKind, PlatformEvent, WrongSignature

#: SendGrid's events; further ones are not of e-mails.
_KINDS: dict[str, EventKind] = {
    "processed": "sent",
    "delivered": "delivered",
    "deferred": "deferred",
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "dropped": "dropped",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "spamreport": "complained",
}


class SendGridWebhook(PlatformSettings):
    """What webhooks are checked by; the server that takes them needs no API key.

    Attributes:
        webhook_key: the public key of the signed event webhook, as SendGrid shows it.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_SENDGRID_")

    account: str
    webhook_key: Annotated[str, Field(min_length=1)]


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """The events of a webhook. A batch that comes again is taken again: its events are known by their ids."""
    known = settings(SendGridWebhook)
    _check(known.webhook_key, headers, body)
    try:
        events = [_event(known.account, one) for one in json.loads(body) if one["event"] in _KINDS]
    except (ValueError, KeyError, TypeError) as fault:
        raise BadWebhook(f"sendgrid: expected a list of events, got something else ({fault!r})") from None
    return Delivery("sendgrid", tuple(events))


def _check(key: str, headers: Mapping[str, str], body: bytes) -> None:
    signature = headers.get(EventWebhookHeader.SIGNATURE.lower(), "")
    moment = headers.get(EventWebhookHeader.TIMESTAMP.lower(), "")
    try:
        webhook = EventWebhook(key)
    except ValueError:
        raise NotConnected("ADLOOP_SENDGRID_WEBHOOK_KEY: expected the public key that SendGrid shows") from None
    try:
        right = webhook.verify_signature(body.decode(), signature, moment)
    except (binascii.Error, UnicodeDecodeError):
        right = False
    if not right:
        raise WrongSignature("sendgrid: the signature is wrong")


def _event(account: str, told: Mapping[str, Any]) -> PlatformEvent:
    return PlatformEvent(
        "sendgrid",
        account,
        str(told["sg_event_id"]),
        _KINDS[told["event"]],
        float(told["timestamp"]),
        message_id=str(told.get("sg_message_id", "")).partition(".")[0],
        marker=str(told.get(MARKER, "")),
        customer_id=str(told.get(CUSTOMER, "")),
        campaign_id=str(told.get(CAMPAIGN, "")),
        machine=bool(told.get("sg_machine_open", False)),
    )
