"""A PostHog project as a platform: events out once, feature flags as rollouts, what customers do back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.platform import AccountAccess, Capability, Denied, Outcome, OutsideEdit
from serving.integrations.posthog import events, flags, reports
from serving.integrations.posthog.calls import PosthogCalls
from serving.integrations.posthog.credentials import PosthogCredentials
from serving.integrations.posthog.reports import FunnelStep
from serving.integrations.singly import singly

if TYPE_CHECKING:
    import pyarrow as pa


def connected() -> "PosthogAccount":
    """The project of the credentials."""
    return PosthogAccount(read(PosthogCredentials))


class PosthogAccount:
    """See `Platform`."""

    name = "posthog"
    capabilities = (
        Capability("event", ("send",), events.FIELDS, reads=False, undo="never"),
        Capability("rollout", ("create", "update"), flags.FIELDS, settles_s=0.0),
    )
    batch = 100
    #: PostHog shows an event to queries some time after it took it; flags at once.
    settles_s = 120.0
    #: Phones send their events when they are connected again.
    restates_d = 2

    def __init__(self, credentials: PosthogCredentials) -> None:
        self.account, self._credentials = credentials.project, credentials
        self._calls = PosthogCalls(credentials)
        self._flags, self._own = flags.PosthogFlags(self._calls), ""

    def connect(self) -> AccountAccess:
        project = self._calls.ask("GET", f"{self._calls.project}/")
        if project is None:
            raise Denied("posthog: the personal key sees no such project; see ADLOOP_POSTHOG_PROJECT")
        missing = list[str]()
        if project["api_token"] != self._credentials.project_key.get_secret_value():
            missing.append("ADLOOP_POSTHOG_PROJECT_KEY is not of this project")
        self._calls.query("SELECT 1")
        self._flags.find([])
        may = "send events", "query events and funnels", "set rollouts of feature flags"
        return AccountAccess(
            self.account, "api", str(project["name"]), zone=str(project["timezone"]), may=may, missing=tuple(missing)
        )

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        if changes[0].object == "event":
            return self._send_events(changes, dry_run)
        if dry_run:
            return [Outcome(change.change_id, fault=flags.wrong(change)) for change in changes]
        bring = self._flags.create if changes[0].doing == "create" else self._flags.update
        return singly(changes, bring)

    def _send_events(self, changes: Sequence[Change], dry_run: bool) -> list[Outcome]:
        faults = {change.change_id: events.fault(change) for change in changes}
        leaving = [events.payload(change) for change in changes if faults[change.change_id] is None]
        if leaving and not dry_run:
            self._calls.capture(leaving)
        return [Outcome(one.change_id, events.uuid(one), faults[one.change_id]) for one in changes]

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        return events.sent(self._calls, changes) if changes[0].object == "event" else self._flags.find(changes)

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return self._flags.objects(ids) if object == "rollout" else []

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        self._own = self._own or str((self._calls.ask("GET", "/api/users/@me/") or {}).get("email", ""))
        return self._flags.edits(since, self._own)

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.read(self._calls, day, self._credentials.interactions)

    def funnel(self, steps: Sequence[str], start: date, end: date) -> list[FunnelStep]:
        """How many people did these events in this order, from `start` until before `end`."""
        return reports.funnel(self._calls, steps, start, end)

    def close(self) -> None:
        self._calls.close()
