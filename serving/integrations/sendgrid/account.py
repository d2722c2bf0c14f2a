"""A SendGrid account as a platform: e-mails that are sent once, and never to who does not want them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from features.settings import Settings
from serving.integrations.change import Change, PlatformFault, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.platform import AccountAccess, CallRefused, Capability, Denied, Outcome, OutsideEdit
from serving.integrations.sendgrid import activity, message, reports
from serving.integrations.sendgrid.calls import SendGridCalls
from serving.integrations.sendgrid.credentials import SendGridCredentials
from serving.integrations.sendgrid.suppression import suppressed
from serving.integrations.singly import singly
from serving.integrations.webhooks.store import FILE, EventStore

if TYPE_CHECKING:
    import pyarrow as pa

#: Scopes of the key, and what for.
_SCOPES = {
    "mail.send": "send e-mails",
    "messages.read": "find what was sent (add-on Email Activity)",
    "suppression.read": "mind bounces, spam reports and unsubscribed addresses",
    "asm.groups.read": "mind who unsubscribed from a group",
    "categories.stats.read": "read delivered e-mails and clicks by campaign",
}


def connected() -> "SendGridAccount":
    """The account of the credentials."""
    return SendGridAccount(read(SendGridCredentials), EventStore(Settings().home / FILE))


class SendGridAccount:
    """See `Platform`."""

    name = "sendgrid"
    capabilities = (Capability("email", ("send",), message.FIELDS, reads=False, undo="never"),)
    batch = 50
    #: The feed shows an e-mail within minutes; SendGrid promises no time.
    settles_s = 300.0
    #: Clicks still come for days.
    restates_d = 3

    def __init__(self, credentials: SendGridCredentials, events: EventStore) -> None:
        self.account, self._sender, self._events = credentials.account, credentials.sender, events
        self._calls = SendGridCalls(credentials)

    def connect(self) -> AccountAccess:
        name = str((self._calls.ask("get", "user/username").body or {}).get("username", ""))
        if name != self.account:
            raise Denied(f"sendgrid: the key is of the account '{name}'; set ADLOOP_SENDGRID_ACCOUNT to it")
        scopes = set((self._calls.ask("get", "scopes").body or {}).get("scopes", []))
        may = tuple(what for scope, what in _SCOPES.items() if scope in scopes)
        missing = tuple(f"scope {scope} of the key ({what})" for scope, what in _SCOPES.items() if scope not in scopes)
        return AccountAccess(self.account, "v3", name, may=may, missing=missing)

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        return singly(changes, lambda change: self._send(change, dry_run))

    def _send(self, change: Change, dry_run: bool) -> str:
        why = suppressed(self._calls, str(change.fields.get("to", "")), change.fields.get("group"))
        if why:
            raise CallRefused(PlatformFault("suppressed", f"{why}: is never sent to", "to"))
        answer = self._calls.ask("post", "mail/send", body=message.payload(change, self._sender, dry_run))
        return answer.headers.get("x-message-id", "")

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        return activity.sent(self._calls, changes)

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return []  # what was sent cannot be changed

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        return []

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        touches = self._events.touches(self.name, self.account, day)
        return reports.read(self._calls, day) | ({} if touches is None else {"touches": touches})

    def close(self) -> None:
        """The SDK opens a connection for each call."""
