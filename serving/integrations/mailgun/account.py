"""A Mailgun domain as a platform: e-mails that are sent once, and never to who does not want them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from features.settings import Settings
from serving.integrations.change import Change, PlatformFault, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.mailgun import events, message
from serving.integrations.mailgun.calls import MailgunCalls
from serving.integrations.mailgun.credentials import MailgunCredentials
from serving.integrations.platform import AccountAccess, CallRefused, Capability, Denied, Outcome, OutsideEdit
from serving.integrations.singly import singly
from serving.integrations.webhooks.store import FILE, EventStore

if TYPE_CHECKING:
    import pyarrow as pa

#: The lists that are minded: the endpoint, the parameter of its address, and why not to send.
_LISTS = (
    ("unsubscribes", "unsubscribe_address", "unsubscribed"),
    ("bounces", "bounce_address", "bounced"),
    ("complaints", "complaint_address", "reported an e-mail as spam"),
)


def connected() -> "MailgunAccount":
    """The domain of the credentials."""
    return MailgunAccount(read(MailgunCredentials), EventStore(Settings().home / FILE))


class MailgunAccount:
    """See `Platform`."""

    name = "mailgun"
    capabilities = (Capability("email", ("send",), message.FIELDS, reads=False, undo="never"),)
    batch = 50
    #: Mailgun calls events complete after half an hour.
    settles_s = 1800.0
    #: Clicks still come for days.
    restates_d = 3

    def __init__(self, credentials: MailgunCredentials, received: EventStore) -> None:
        self.account, self._sender, self._received = credentials.domain, credentials.sender, received
        self._calls = MailgunCalls(credentials)

    def connect(self) -> AccountAccess:
        found = (self._calls.get("domains", domain_name=self.account) or {}).get("domain", {})
        if found.get("name") != self.account:
            raise Denied(f"mailgun: the account has no domain '{self.account}'; set ADLOOP_MAILGUN_DOMAIN to one")
        state = found.get("state", "")
        missing = () if state == "active" else (f"the domain is {state}: verify its DNS records in Mailgun",)
        may = "send e-mails", "read events", "mind bounces, complaints and unsubscribed addresses"
        for name, _, _ in _LISTS:
            self._calls.get(name, {"limit": 1})
        return AccountAccess(self.account, "v3", self.account, may=may, missing=missing)

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        return singly(changes, lambda change: self._send(change, dry_run))

    def _send(self, change: Change, dry_run: bool) -> str:
        why = self._suppressed(str(change.fields.get("to", "")))
        if why:
            raise CallRefused(PlatformFault("suppressed", f"{why}: is never sent to", "to"))
        return str(self._calls.post("messages", message.form(change, self._sender, dry_run))["id"]).strip("<>")

    def _suppressed(self, address: str) -> str:
        """Why the address must not be sent to; empty where it may. Who left one tag left all."""
        if not address:
            return ""  # Mailgun refuses it; the lists would be asked for as a whole
        return next((why for name, place, why in _LISTS if self._calls.get(name, None, **{place: address})), "")

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        return events.sent(self._calls, changes)

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return []  # what was sent cannot be changed

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        return []

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        touches = self._received.touches(self.name, self.account, day)
        return events.read(self._calls, day) | ({} if touches is None else {"touches": touches})

    def close(self) -> None:
        self._calls.close()
