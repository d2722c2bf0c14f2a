"""An ad account of Meta."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serving.integrations import credentials
from serving.integrations.change import Change, PlatformFault, PlatformObject
from serving.integrations.meta import errors, reports
from serving.integrations.meta.credentials import MetaCredentials
from serving.integrations.meta.fields import EDGES, READ, TARGETS, TEXTS, Words
from serving.integrations.meta.graph import BATCH, BatchAnswer, Graph
from serving.integrations.meta.leaving import members, server_event
from serving.integrations.platform import AccountAccess, Capability, Outcome, OutsideEdit

if TYPE_CHECKING:
    import pyarrow as pa

_BUDGETS = ("name", "status", "daily_budget", "total_budget", "starts_at", "ends_at")
_EVENT = ("event", "occurred_at", "email", "phone", "customer_id", "value", "currency", "order_id", "url")
NEEDED = ("ads_management", "ads_read")


def connected() -> "MetaAccount":
    """The account of the variables. Raises `NotConnected`."""
    return MetaAccount(credentials.read(MetaCredentials))


class MetaAccount:
    """See `serving.integrations.platform.Platform`."""

    name = "meta"
    batch = BATCH
    settles_s = 0.0
    restates_d = 8  # conversions are attributed for up to 7 days after a click
    capabilities: Sequence[Capability] = (
        Capability("campaign", ("create", "update"), (*_BUDGETS, "objective", "special_ad_categories")),
        Capability("ad_group", ("create", "update"), (*_BUDGETS, "bid", "bid_unit", *sorted(TARGETS))),
        Capability("ad", ("create", "update"), ("name", "status", *sorted(TEXTS))),
        Capability(
            "audience", ("create", "update"), ("name", "description", "like", "countries", "ratio"), undo="never"
        ),
        Capability("audience_members", ("send",), ("audience", "emails"), reads=False, undo="never"),
        Capability("event", ("send",), _EVENT, reads=False, undo="never"),
    )

    def __init__(self, said: MetaCredentials) -> None:
        self._said, self._graph = said, Graph(said)
        self.account = said.account_id.removeprefix("act_")

    @property
    def _act(self) -> str:
        return f"act_{self.account}"

    @cached_property
    def _words(self) -> Words:
        about = self._graph.get(self._act, fields="currency")
        return Words(str(about["currency"]), self._said.page_id)

    @cached_property
    def _me(self) -> str:
        return str(self._graph.get("me", fields="id,name")["id"])

    def connect(self) -> AccountAccess:
        about = self._graph.get(self._act, fields="name,currency,timezone_name,account_status")
        given = self._graph.get("me/permissions")["data"]
        may = tuple(one["permission"] for one in given if one["status"] == "granted")
        missing = [f"{one}: grant it to the token's app" for one in NEEDED if one not in may]
        if not self._said.page_id:
            missing.append("ads: set ADLOOP_META_PAGE_ID to the page that ads speak for")
        told = {"name": str(about["name"]), "currency": str(about["currency"]), "zone": str(about["timezone_name"])}
        return AccountAccess(self.account, self._said.version, **told, may=may, missing=tuple(missing))

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        calls = [self._call(change) for change in changes]
        if dry_run:
            calls = [(method, path, _validating(path, said)) for method, path, said in calls]
        answers = self._graph.batch(calls)
        return [_outcome(change, answer) for change, answer in zip(changes, answers, strict=True)]

    def _call(self, change: Change) -> tuple[str, str, Mapping[str, Any]]:
        if change.object == "event":
            return "POST", f"{self._said.pixel_id}/events", {"data": [server_event(change)]}
        if change.object == "audience_members":
            return "POST", f"{change.fields['audience']}/users", {"payload": members(change.fields)}
        said = self._words.to_meta(self._whole(change))
        if change.doing == "create":
            return "POST", f"{self._act}/{EDGES[change.object]}", said
        return "POST", change.target, said

    def _whole(self, change: Change) -> Change:
        """An update with the other fields that Meta sets together with those of the change."""
        for together in (TARGETS, TEXTS):
            if change.doing == "update" and together.intersection(change.fields):
                [shown] = self.objects(change.object, [change.target])
                others = {name: value for name, value in shown.fields.items() if name in together}
                return replace(change, fields={**others, **change.fields})
        return change

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        made = [change for change in changes if change.doing == "create"]  # Meta itself tells repeated events
        asked = [("GET", f"{self._act}/{EDGES[one.object]}", _marked(one)) for one in made]
        found = dict[str, str]()
        for start in range(0, len(asked), BATCH):
            for change, answer in zip(made[start:], self._graph.batch(asked[start : start + BATCH]), strict=False):
                if answer is None or answer.error:
                    raise errors.of_call(answer.error if answer else {}, answer.headers if answer else {})
                if answer.body["data"]:
                    found[change.change_id] = str(answer.body["data"][0]["id"])
        return found

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        if ids is None:
            shown = list(self._graph.pages(f"{self._act}/{EDGES[object]}", fields=READ[object]))
        else:
            wanted, shown = list(dict.fromkeys(ids)), []
            for start in range(0, len(wanted), BATCH):
                some = ",".join(wanted[start : start + BATCH])
                shown += self._graph.get("", ids=some, fields=READ[object]).values()
        return [self._words.of_meta(object, one) for one in shown]

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        fields = "event_time,event_type,object_id,object_type,actor_id,actor_name"
        told = self._graph.pages(f"{self._act}/activities", fields=fields, since=int(since))
        kinds = {"CAMPAIGN": "campaign", "AD_SET": "ad_group", "AD": "ad", "AUDIENCE": "audience"}
        return [
            OutsideEdit(
                kinds[one["object_type"]], str(one["object_id"]), str(one["actor_name"]), _at(one), one["event_type"]
            )
            for one in told
            if str(one.get("actor_id")) != self._me and one.get("object_type") in kinds
        ]

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.tables(self._graph, self._act, day)

    def close(self) -> None:
        self._graph.close()


def _marked(change: Change) -> dict[str, Any]:
    """The search for the object that the change created."""
    named = [{"field": "name", "operator": "CONTAIN", "value": change.marker}]
    return {"fields": "id", "filtering": named, "limit": 2}


def _validating(path: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The call, of which nothing is kept."""
    if path.endswith("/events"):
        return {**said, "test_event_code": "adloop"}
    return {**said, "execution_options": ["validate_only"]}


def _outcome(change: Change, answer: BatchAnswer | None) -> Outcome:
    if answer is None:
        return Outcome(change.change_id, unknown=True)
    if not answer.error:
        made = change.target or answer.body.get("id") or change.marker
        return Outcome(change.change_id, str(made))
    waits = errors.wait_s(answer.error, answer.headers)
    if waits is not None:
        return Outcome(change.change_id, wait_s=waits)
    if answer.error.get("code") in (*errors.UNTOLD, None):
        return Outcome(change.change_id, unknown=True)
    found: PlatformFault = errors.fault(answer.error)
    return Outcome(change.change_id, fault=found)


def _at(one: Mapping[str, Any]) -> float:
    return datetime.strptime(one["event_time"], "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC).timestamp()
