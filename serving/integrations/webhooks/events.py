"""An event that a platform tells, in the same words for all platforms."""

from dataclasses import dataclass, field
from typing import Literal

#: Of e-mails. `dropped`: never sent, because the platform knows the address as suppressed.
EventKind = Literal[
    "sent", "delivered", "deferred", "opened", "clicked", "bounced", "dropped", "unsubscribed", "complained"
]


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """Something that happened to a message.

    Attributes:
        event_id: the platform's; an event that comes again has the same.
        occurred_at: Unix seconds.
        message_id: the platform's id of the message.
        marker: of the change that sent it (`Change.marker`); empty where adloop did not.
        customer_id, campaign_id: that the message was sent for.
        machine: a program did it, such as a mail proxy that opens every e-mail, and no person.
    """

    platform: str
    account: str
    event_id: str
    kind: EventKind
    occurred_at: float
    message_id: str = ""
    marker: str = ""
    customer_id: str = ""
    campaign_id: str = ""
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """The events of one webhook. `token`: what the platform uses only once; a second use is a replay."""

    platform: str
    events: tuple[PlatformEvent, ...] = field(default=())
    token: str = ""


class WrongSignature(ValueError):
    """The webhook is not signed by the platform, or too long ago."""


class BadWebhook(ValueError):
    """The body is signed, but not what the platform is documented to send."""
