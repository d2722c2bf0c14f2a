"""An organization of Salesforce."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import NotConnected, read
from serving.integrations.platform import AccountAccess, Capability, Denied, Outcome, OutsideEdit
from serving.integrations.salesforce import check, leads, reports
from serving.integrations.salesforce.calls import MOST, SalesforceCalls
from serving.integrations.salesforce.credentials import SalesforceCredentials
from serving.integrations.salesforce.leads import SalesforceLeads
from serving.integrations.salesforce.lists import SalesforceLists

if TYPE_CHECKING:
    import pyarrow as pa


def connected() -> "SalesforceAccount":
    credentials = read(SalesforceCredentials)
    if not credentials.access_token.get_secret_value() and not credentials.client_secret.get_secret_value():
        raise NotConnected(
            "ADLOOP_SALESFORCE_ACCESS_TOKEN: Field required, or ADLOOP_SALESFORCE_CLIENT_ID and"
            " ADLOOP_SALESFORCE_CLIENT_SECRET"
        )
    return SalesforceAccount(credentials)


class SalesforceAccount:
    """See `serving.integrations.platform.Platform`."""

    name = "salesforce"
    capabilities = (
        Capability("lead", ("create", "update"), leads.FIELDS),
        Capability("list", ("create", "update"), ("name", "status")),
        Capability("list_member", ("create", "update"), ("customer_id", "status")),
    )
    batch = MOST
    settles_s = 0.0
    restates_d = 7

    def __init__(self, credentials: SalesforceCredentials) -> None:
        self.account, self._settings = credentials.account, credentials
        self._calls = SalesforceCalls(credentials, leads.names(credentials))
        self._leads = SalesforceLeads(self._calls, credentials)
        self._lists = SalesforceLists(self._calls, self._leads, credentials.marker_field)

    def connect(self) -> AccountAccess:
        self._check_organization()
        person = (self._settings.id_field, self._settings.score_field, self._settings.reason_field)
        marker = (self._settings.marker_field,)
        wanted = {"Lead": person, "Contact": person, "Task": marker, "Campaign": marker}
        missing = [
            f"{kind}.{field}: create this field and let the token's user edit it"
            for kind, fields in wanted.items()
            for field in fields
            if field not in self._writable(kind)
        ]
        found = next(self._calls.query("SELECT Name, TimeZoneSidKey FROM Organization LIMIT 1"))
        return AccountAccess(
            self.account,
            self._settings.version,
            name=found["Name"],
            zone=found["TimeZoneSidKey"],
            may=("read opportunities", *(() if missing else ("score leads", "fill lists"))),
            missing=tuple(missing),
        )

    def send(self, changes: Sequence[Change], dry_run: bool = False) -> Sequence[Outcome]:
        wrong = {
            one.change_id: fault
            for one in changes
            if (fault := check.unspeakable(one) or (check.refused(one) if dry_run else None)) is not None
        }
        outcomes = {key: Outcome(key, fault=fault) for key, fault in wrong.items()}
        left = [one for one in changes if one.change_id not in wrong]
        if left and not dry_run:
            self._check_organization()
            outcomes |= {one.change_id: one for one in self._bring(left)}
        return [outcomes.get(one.change_id, Outcome(one.change_id)) for one in changes]

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        by_kind = {"lead": self._leads.found, "list": self._lists.found, "list_member": self._lists.members}
        found = by_kind[changes[0].object](changes)
        return {one.change_id: found[one.marker] for one in changes if one.marker in found}

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        if object == "list_member":
            return list(self._lists.memberships(ids, self._settings.id_field))
        return list(self._leads.objects(ids) if object == "lead" else self._lists.objects(ids))

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        found, moment = list[OutsideEdit](), f"{datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}"
        own, marker = self._settings.id_field, self._settings.marker_field
        for kind, object, field in (("Lead", "lead", own), ("Contact", "lead", own), ("Campaign", "list", marker)):
            for one in self._calls.query(
                f"SELECT Id, LastModifiedById, LastModifiedBy.Name, LastModifiedDate FROM {kind}"
                f" WHERE {field} != null AND LastModifiedDate >= {moment}"
            ):
                if one["LastModifiedById"] != self._identity[1]:
                    at = datetime.fromisoformat(one["LastModifiedDate"]).timestamp()
                    found.append(OutsideEdit(object, one["Id"], one["LastModifiedBy"]["Name"], at))
        return found

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.read(self._calls, self._settings.id_field, day)

    def close(self) -> None:
        self._calls.close()

    def _bring(self, changes: Sequence[Change]) -> list[Outcome]:
        return {
            ("lead", "create"): self._leads.score,
            ("lead", "update"): self._leads.update,
            ("list", "create"): self._lists.create,
            ("list", "update"): self._lists.update,
            ("list_member", "create"): self._lists.add,
            ("list_member", "update"): self._lists.remove,
        }[changes[0].object, changes[0].doing](changes)

    def _check_organization(self) -> None:
        """Raises `Denied` where the token is of another organization."""
        organization = self._identity[0]
        if organization != self.account:
            raise Denied(
                f"salesforce: the token is of organization {organization}, and ADLOOP_SALESFORCE_ACCOUNT names"
                f" {self.account}"
            )

    @cached_property
    def _identity(self) -> tuple[str, str]:
        """The ids of the organization and of the token's user, which end the address of its identity."""
        organization, user = self._calls.ask("GET", "")["identity"].split("/")[-2:]
        return organization, user

    def _writable(self, kind: str) -> set[str]:
        described = self._calls.ask("GET", f"sobjects/{kind}/describe")
        return {one["name"] for one in described["fields"] if one["createable"] and one["updateable"]}
