"""What the fake of SendGrid keeps."""

import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from serving.integrations.change import Fields

ACCOUNT, KEY, SENDER = "adloop-test", "SG.s3cr3t", "news@example.com"
#: Unsubscribe groups that are there at first, by id.
GROUPS = {101: "Newsletter", 102: "Offers"}


@dataclass
class SentMessage:
    """An e-mail. `dropped` says why it was not delivered, empty where it was."""

    message_id: str
    to: str
    sender: str
    subject: str
    arguments: dict[str, str]
    categories: list[str]
    sent_at: float
    dropped: str = ""
    clicks: int = 0
    send_at: int | None = None


@dataclass
class SendGridState:
    """Attributes:
    lists: addresses by list: `bounces`, `spam_reports`, `invalid_emails`, `unsubscribes`.
    groups: addresses that left a group, by its id.
    """

    messages: dict[str, SentMessage] = field(default_factory=dict)
    lists: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    groups: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, mail: Mapping[str, Any]) -> str:
        """Send an e-mail to each person of a call; the id of the call."""
        place = secrets.token_urlsafe(16).replace(".", "")
        for number, person in enumerate(mail["personalizations"]):
            address = person["to"][0]["email"]
            group = (mail.get("asm") or {}).get("group_id")
            why = next((name for name, held in self.lists.items() if address.casefold() in held), "")
            if group is not None and address.casefold() in self.groups[group]:
                why = "group unsubscribes"
            made = f"{place}.filterdrecv-p3mdw1-{number}"
            self.messages[made] = SentMessage(
                made,
                address,
                mail["from"]["email"],
                str(person.get("subject") or mail.get("subject") or ""),
                {**(mail.get("custom_args") or {}), **(person.get("custom_args") or {})},
                list(mail.get("categories") or []),
                time.time(),
                why,
                send_at=mail.get("send_at"),
            )
        return place

    def objects(self) -> Mapping[str, Any]:
        return {
            "messages": [asdict(one) for one in self.messages.values()],
            "lists": {name: sorted(held) for name, held in self.lists.items() if held},
        }

    def markers(self) -> Sequence[str]:
        return [one.arguments["adloop"] for one in self.messages.values() if "adloop" in one.arguments]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        """An address on or off a list: `("suppression", address, {"list": "bounces", "status": "live"})`."""
        held = self.lists[fields["list"]]
        (held.discard if fields.get("status") == "removed" else held.add)(object_id.casefold())
