"""What the fake of Mailgun keeps."""

import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serving.integrations.change import Fields

DOMAIN, KEY = "mg.example.com", "key-s3cr3t"


@dataclass
class MailgunState:
    """Attributes:
    events: as the Events API shows them, in the order they happened.
    lists: addresses by list: `bounces`, `unsubscribes`, `complaints`.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, form: Mapping[str, str]) -> str:
        """Send an e-mail; its Message-Id."""
        place = form.get("h:Message-Id", f"<{secrets.token_hex(12)}@{DOMAIN}>").strip("<>")
        self.happen("accepted", place, form)
        dropped = any(form["to"].casefold() in held for held in self.lists.values())
        self.happen("failed" if dropped else "delivered", place, form)
        return place

    def happen(self, event: str, place: str, form: Mapping[str, str], at: float | None = None, bot: str = "") -> None:
        """Note an event of an e-mail."""
        told: dict[str, Any] = {
            "event": event,
            "id": secrets.token_urlsafe(16),
            "timestamp": time.time() if at is None else at,
            "recipient": form["to"],
            "message": {"headers": {"message-id": place, "to": form["to"], "subject": form.get("subject", "")}},
            "user-variables": {name[2:]: value for name, value in form.items() if name.startswith("v:")},
            "tags": [form["o:tag"]] if "o:tag" in form else [],
        }
        if event in ("opened", "clicked"):
            told["client-info"] = {"client-type": "browser", "bot": bot}
        self.events.append(told)

    def objects(self) -> Mapping[str, Any]:
        return {"events": self.events, "lists": {name: sorted(held) for name, held in self.lists.items() if held}}

    def markers(self) -> Sequence[str]:
        return [one["user-variables"]["adloop"] for one in self.events if one["event"] == "accepted"]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        """An address on or off a list: `("suppression", address, {"list": "bounces", "status": "live"})`."""
        held = self.lists[fields["list"]]
        (held.discard if fields.get("status") == "removed" else held.add)(object_id.casefold())
