"""An ad account of LinkedIn."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.linkedin import fields, objects, reports, send
from serving.integrations.linkedin.credentials import LinkedInCredentials
from serving.integrations.linkedin.objects import LinkedInPlace
from serving.integrations.linkedin.restli import RestliClient, listed, text
from serving.integrations.platform import AccountAccess, Capability, Outcome, OutsideEdit

if TYPE_CHECKING:
    import pyarrow as pa

_ADS = ("name", "status", "total_budget", "starts_at", "ends_at")
_GROUP = ("daily_budget", "bid", "bid_unit", "objective", "locations", "companies", "audiences", "excluded_audiences")
_CAPABILITIES = (
    Capability("campaign", ("create", "update"), _ADS),
    Capability("ad_group", ("create", "update"), (*_ADS, *_GROUP, "language", "political")),
    Capability("ad", ("create", "update"), ("name", "status", "post")),
)
#: What LinkedIn grants by programmes of their own.
_POSTS = (Capability("post", ("create",), ("name", "text", "headline", "description", "url"), undo="never"),)
_AUDIENCES = (
    Capability("audience", ("create",), ("name", "kind"), undo="never"),
    Capability("company", ("send",), ("domain", "name"), reads=False, undo="never"),
)
_WRITERS = ("ACCOUNT_BILLING_ADMIN", "ACCOUNT_MANAGER", "CAMPAIGN_MANAGER")


def connected() -> "LinkedInAccount":
    return LinkedInAccount(read(LinkedInCredentials))


class LinkedInAccount:
    """See `serving.integrations.platform.Platform`."""

    name = "linkedin"
    batch = 20
    settles_s = 5.0
    restates_d = 3

    def __init__(self, credentials: LinkedInCredentials) -> None:
        self.account, self._credentials = credentials.account, credentials
        self.capabilities = (
            *_CAPABILITIES,
            *(_POSTS if credentials.organization else ()),
            *(_AUDIENCES if credentials.source_platform else ()),
        )
        self._api = RestliClient(credentials)

    def connect(self) -> AccountAccess:
        found = self._api.get(f"adAccounts/{self.account}")
        role = self._user.get("role", "")
        missing = () if role in _WRITERS else (f"to write: the role campaign manager; the token's member is {role}",)
        kind = "a test account" if found.get("test") else "an account"
        return AccountAccess(
            self.account,
            self._credentials.version,
            name=found.get("name", ""),
            currency=found.get("currency", ""),
            may=(f"read {kind} as {role or 'no user of it'}", *(() if missing else ("write campaigns",))),
            missing=missing,
        )

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        if dry_run:
            return send.dry(changes)
        return send.LinkedInSender(self._api, self._place, self._segments).send(changes)

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        wanted = {change.marker: change.change_id for change in changes}
        return {wanted[mark]: place for mark, place in self._marks(changes) if mark in wanted}

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        return [self._object(object, place, shown) for place, shown in self._shown(object, ids)]

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        found, ours = list[OutsideEdit](), self._user.get("user", "")
        for kind in objects.COLLECTIONS:
            for place, shown in self._shown(kind, None):
                last = shown.get("changeAuditStamps", {}).get("lastModified", {})
                by = str(last.get("actor") or shown.get("lastModifiedBy", ""))
                at = (last.get("time") or shown.get("lastModifiedAt", 0)) / 1000
                if by and by != ours and at >= since:
                    found.append(OutsideEdit(kind, place, by, at))
        return found

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.read(self._api, self.account, day, self._credentials.leads)

    def close(self) -> None:
        self._api.close()

    @cached_property
    def _place(self) -> LinkedInPlace:
        currency = str(self._api.get(f"adAccounts/{self.account}")["currency"])
        return LinkedInPlace(self.account, currency, self._credentials.organization, self._credentials.source_platform)

    @cached_property
    def _user(self) -> Mapping[str, Any]:
        """The token's member in this account."""
        urn = fields.ACCOUNT + self.account
        users = self._api.by_count("adAccountUsers", "q=authenticatedUser")
        return next((user for user in users if user.get("account") == urn), {})

    def _segments(self) -> dict[str, str]:
        """The URN that campaigns target by, by audience; those that are still built have none."""
        found = dict[str, str]()
        for shown in self._api.by_count("dmpSegments", self._of_account) if self._credentials.source_platform else ():
            urns = [one.get("destinationSegmentId", "") for one in shown.get("destinations", ())]
            found |= {str(shown["id"]): urn for urn in urns if urn}
        return found

    @property
    def _of_account(self) -> str:
        """The query for the account's segments."""
        return f"q=account&account={text(fields.ACCOUNT + self.account)}"

    def _marks(self, changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
        """Markers and ids of what may be of these changes, which are of one kind."""
        kind = changes[0].object
        if kind == "company":
            return
        for place, shown in self._candidates(kind, changes):
            name = shown.get("adContext", {}).get("dscName", "") if kind == "post" else shown.get("name", "")
            yield fields.marker(name), place

    def _candidates(self, kind: str, changes: Sequence[Change]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        if kind not in ("campaign", "ad_group"):
            parents = {change.parent for change in changes}
            return ((place, shown) for place, shown in self._shown(kind, None, parents))
        names = listed(fields.marked(change.fields["name"], change.marker) for change in changes)
        path = f"adAccounts/{self.account}/{objects.COLLECTIONS[kind]}"
        named = self._api.by_cursor(path, f"q=search&search=(name:(values:{names}))")
        return ((str(shown["id"]), shown) for shown in named)

    def _shown(
        self, kind: str, ids: Collection[str] | None, parents: Collection[str] = ()
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Objects by id as LinkedIn shows them: these, or all; ads of these campaigns only."""
        account, urn = f"adAccounts/{self.account}", text(fields.ACCOUNT + self.account)
        if ids is not None:
            path = {"post": "posts", "audience": "dmpSegments"}.get(kind) or f"{account}/{objects.COLLECTIONS[kind]}"
            keys = [fields.CREATIVE + one for one in ids] if kind == "ad" else ids
            found: Iterable[Mapping[str, Any]] = self._api.get_each(path, keys).values()
        elif kind == "post":
            found = self._api.by_count("posts", f"q=dscAdAccount&dscAdAccount={urn}&dscAdTypes=List(STANDARD)")
        elif kind == "audience":
            found = self._api.by_count("dmpSegments", self._of_account)
        elif kind == "ad":
            of = f"&campaigns={listed(fields.CAMPAIGN + one for one in parents)}" if parents else ""
            found = self._api.by_cursor(f"{account}/creatives", f"q=criteria{of}")
        else:
            found = self._api.by_cursor(f"{account}/{objects.COLLECTIONS[kind]}", "q=search")
        for shown in found:
            yield str(shown["id"]) if kind != "ad" else fields.id_of(shown["id"]), shown

    def _object(self, kind: str, place: str, shown: Mapping[str, Any]) -> PlatformObject:
        found = objects.read(kind, shown)
        if any(found.get(name) for name in ("audiences", "excluded_audiences")):
            named = {urn: audience for audience, urn in self._segments().items()}
            for name in ("audiences", "excluded_audiences"):
                found[name] = [named.get(urn, urn) for urn in found[name]]
        version = str(shown.get("version", {}).get("versionTag", ""))
        return PlatformObject(kind, place, found, objects.parent(kind, shown), version)
