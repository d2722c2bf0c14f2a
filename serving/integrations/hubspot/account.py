"""An account (hub) of HubSpot."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serving.integrations.change import Change, PlatformObject
from serving.integrations.credentials import read
from serving.integrations.hubspot import check, contacts, reports
from serving.integrations.hubspot.calls import MOST, HubSpotCalls
from serving.integrations.hubspot.contacts import HubSpotContacts
from serving.integrations.hubspot.credentials import HubSpotCredentials
from serving.integrations.hubspot.lists import HubSpotLists
from serving.integrations.platform import AccountAccess, Capability, Denied, Outcome, OutsideEdit

if TYPE_CHECKING:
    import pyarrow as pa

_SCOPES = {
    "crm.objects.contacts.read": "read contacts",
    "crm.objects.contacts.write": "score contacts",
    "crm.lists.read": "read lists",
    "crm.lists.write": "fill lists",
    "crm.objects.deals.read": "read deals",
}


def connected() -> "HubSpotAccount":
    return HubSpotAccount(read(HubSpotCredentials))


class HubSpotAccount:
    """See `serving.integrations.platform.Platform`."""

    name = "hubspot"
    capabilities = (
        Capability("lead", ("create", "update"), contacts.FIELDS),
        Capability("list", ("create",), ("name",), undo="never"),
        Capability("list_member", ("create", "update"), ("customer_id", "status")),
    )
    batch = MOST
    settles_s = 0.0
    restates_d = 7

    def __init__(self, credentials: HubSpotCredentials) -> None:
        self.account, self._settings = credentials.account, credentials
        self._calls = HubSpotCalls(credentials, contacts.names(credentials))
        self._contacts = HubSpotContacts(self._calls, credentials)
        self._lists = HubSpotLists(self._calls, self._contacts)

    def connect(self) -> AccountAccess:
        self._check_hub()
        details = self._calls.call("GET", "/account-info/v3/details")
        scopes = self._token.get("scopes") or ()
        missing = [f"the scope {scope}, to {may}" for scope, may in _SCOPES.items() if scope not in scopes]
        return AccountAccess(
            self.account,
            self._settings.version,
            name=details.get("uiDomain") or "",
            currency=details.get("companyCurrency") or "",
            zone=details.get("timeZone") or "",
            may=tuple(may for scope, may in _SCOPES.items() if scope in scopes),
            missing=(*missing, *self._missing_properties()),
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
            self._check_hub()
            outcomes |= {one.change_id: one for one in self._bring(left)}
        return [outcomes.get(one.change_id, Outcome(one.change_id)) for one in changes]

    def find(self, changes: Sequence[Change]) -> Mapping[str, str]:
        by_kind = {"lead": self._contacts.found, "list": self._lists.found, "list_member": self._lists.members}
        found = by_kind[changes[0].object](changes)
        return {one.change_id: found[one.marker] for one in changes if one.marker in found}

    def objects(self, object: str, ids: Collection[str] | None = None) -> Sequence[PlatformObject]:
        by_kind = {"lead": self._contacts, "list": self._lists}
        return list(self._lists.memberships(ids) if object == "list_member" else by_kind[object].objects(ids))

    def edits(self, since: float) -> Sequence[OutsideEdit]:
        """The last values of scores and reasons that this app did not write, by the histories of contacts."""
        own = [self._settings.score_property, self._settings.reason_property]
        filters = [
            {"propertyName": self._settings.id_property, "operator": "HAS_PROPERTY"},
            {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(round(since * 1000))},
        ]
        changed = [str(one["id"]) for one in self._calls.search("contacts", filters, [])]
        found = list[OutsideEdit]()
        for contact in self._calls.histories("contacts", changed, own):
            for name, history in (contact.get("propertiesWithHistory") or {}).items():
                last = history[0] if history else {}
                at = datetime.fromisoformat(last["timestamp"]).timestamp() if last else 0.0
                if at >= since and last and str(last.get("sourceId", "")) != str(self._token.get("appId", "")):
                    found.append(OutsideEdit("lead", str(contact["id"]), str(last.get("sourceId", "")), at, name))
        return found

    def read(self, day: date) -> "Mapping[str, pa.Table]":
        return reports.read(self._calls, self._settings.id_property, day)

    def close(self) -> None:
        self._calls.close()

    def _bring(self, changes: Sequence[Change]) -> list[Outcome]:
        return {
            ("lead", "create"): self._contacts.score,
            ("lead", "update"): self._contacts.update,
            ("list", "create"): self._lists.create,
            ("list_member", "create"): self._lists.add,
            ("list_member", "update"): self._lists.remove,
        }[changes[0].object, changes[0].doing](changes)

    def _check_hub(self) -> None:
        """Raises `Denied` where the token is of another account."""
        hub = str(self._token.get("hubId", ""))
        if hub != self.account:
            raise Denied(f"hubspot: the token is of account {hub}, and ADLOOP_HUBSPOT_ACCOUNT names {self.account}")

    @cached_property
    def _token(self) -> Mapping[str, Any]:
        return self._calls.token()

    def _missing_properties(self) -> list[str]:
        wanted = {
            "contacts": {
                self._settings.id_property: True,
                self._settings.score_property: False,
                self._settings.reason_property: False,
            },
            "notes": {self._settings.marker_property: True},
        }
        missing = list[str]()
        for kind, properties in wanted.items():
            there = {one["name"]: one for one in self._calls.ask("GET", "properties", f"/{kind}")["results"]}
            for name, unique in properties.items():
                if name not in there or (unique and not there[name].get("hasUniqueValue")):
                    missing.append(f"{kind}: the property {name}{', with unique values' if unique else ''}; create it")
        return missing
