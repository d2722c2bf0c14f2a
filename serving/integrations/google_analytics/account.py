"""A Google Analytics 4 property as a platform: visits back, audiences made once, events out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.google_analytics import audiences, events
from serving.integrations.google_analytics.audiences import GoogleAnalyticsAudiences
from serving.integrations.google_analytics.credentials import GoogleAnalyticsCredentials
from serving.integrations.google_analytics.events import MeasurementEvents
from serving.integrations.google_analytics.login import ServiceAccountLogin
from serving.integrations.google_analytics.reports import GoogleAnalyticsReports
from serving.integrations.platform import AccountAccess, Capability, Denied, Outcome, OutsideEdit
from serving.integrations.singly import singly

if TYPE_CHECKING:
    import pyarrow as pa


def connected() -> "GoogleAnalyticsAccount":
    """The property of the credentials."""
    return GoogleAnalyticsAccount(read(GoogleAnalyticsCredentials))


class GoogleAnalyticsAccount:
    """See `Platform`."""

    name = "google_analytics"
    capabilities = (
        Capability("audience", ("create", "update"), audiences.FIELDS),
        Capability("event", ("send",), events.FIELDS, reads=False, undo="never"),
    )
    batch = 20
    settles_s = 5.0
    #: Google processes visits for up to two days.
    restates_d = 2

    def __init__(self, credentials: GoogleAnalyticsCredentials) -> None:
        self.account, self._version = credentials.property, credentials.admin_version
        self._login = ServiceAccountLogin(credentials)
        self._audiences = GoogleAnalyticsAudiences(credentials, self._login)
        self._events = MeasurementEvents(credentials)
        self._reports = GoogleAnalyticsReports(credentials, self._login)

    def connect(self) -> AccountAccess:
        told = self._audiences.describe()
        if told is None:
            raise Denied("google_analytics: the login sees no such property; see ADLOOP_GOOGLE_ANALYTICS_PROPERTY")
        self._audiences.find([])
        may = f"read reports ({self._reports.tokens():,} tokens left today)", "list audiences"
        return AccountAccess(
            self.account,
            self._version,
            str(told["displayName"]),
            str(told.get("currencyCode", "")),
            str(told.get("timeZone", "")),
            may,
        )

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        if changes[0].object == "event":
            return singly(changes, lambda change: self._events.send(change, dry_run))
        if dry_run:
            return [Outcome(change.change_id, fault=audiences.wrong(change)) for change in changes]
        return singly(changes, self._audiences.create if changes[0].doing == "create" else self._audiences.update)

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        """Audiences; events cannot be looked up."""
        return {} if changes[0].object == "event" else self._audiences.find(changes)

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return self._audiences.objects(ids) if object == "audience" else []

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        return self._audiences.edits(since)

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        touches = self._reports.touches(day)
        return {} if touches is None else {"touches": touches}

    def close(self) -> None:
        self._audiences.close()
        self._events.close()
        self._login.close()
