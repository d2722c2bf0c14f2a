"""Segments and nurturing lists: campaigns and their members."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from serving.integrations.change import Change, Fields, PlatformFault, PlatformObject
from serving.integrations.platform import Outcome
from serving.integrations.salesforce import errors
from serving.integrations.salesforce.calls import Record, SalesforceCalls, parts, quoted
from serving.integrations.salesforce.leads import SalesforceLeads
from serving.integrations.singly import singly

_STATUS = {"live": (True, "In Progress"), "paused": (False, "Planned"), "removed": (False, "Aborted")}
_MEMBER = {
    "LeadOrContactId": "customer_id",
    "CampaignId": "parent",
    "LeadId": "customer_id",
    "ContactId": "customer_id",
}


class SalesforceLists:
    def __init__(self, calls: SalesforceCalls, leads: SalesforceLeads, marker_field: str) -> None:
        self._calls, self._leads, self._marker = calls, leads, marker_field

    def create(self, changes: Sequence[Change]) -> list[Outcome]:
        records = [
            {
                "attributes": {"type": "Campaign"},
                self._marker: one.marker,
                **_written({"status": "live", **one.fields}),
            }
            for one in changes
        ]
        answers = self._calls.collection("PATCH", f"/Campaign/{self._marker}", records)
        return [_outcome(one, answer) for one, answer in zip(changes, answers, strict=True)]

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        def bring(change: Change) -> str:
            self._calls.change("Campaign", change.target, _written(change.fields))
            return change.target

        return singly(changes, bring)

    def found(self, changes: Sequence[Change]) -> dict[str, str]:
        found = dict[str, str]()
        for part in parts(one.marker for one in changes):
            query = f"SELECT Id, {self._marker} FROM Campaign WHERE {self._marker} IN {quoted(part)}"
            found |= {one[self._marker]: one["Id"] for one in self._calls.query(query)}
        return found

    def objects(self, ids: Collection[str] | None) -> Iterator[PlatformObject]:
        select = "SELECT Id, Name, IsActive, Status, SystemModstamp FROM Campaign WHERE"
        wheres = [f"{self._marker} != null"] if ids is None else [f"Id IN {quoted(part)}" for part in parts(ids)]
        for where in wheres:
            for one in self._calls.query(f"{select} {where}"):
                ended = one["Status"] == "Aborted" and not one["IsActive"]
                status = "removed" if ended else "live" if one["IsActive"] else "paused"
                fields = {"name": one["Name"], "status": status}
                yield PlatformObject("list", one["Id"], fields, version=one["SystemModstamp"])

    # Members

    def add(self, changes: Sequence[Change]) -> list[Outcome]:
        persons = self._leads.persons([str(one.fields["customer_id"]) for one in changes])
        known = [one for one in changes if one.fields["customer_id"] in persons]
        records = list[Record]()
        for one in known:
            person = persons[one.fields["customer_id"]]
            place = {"CampaignId": one.parent, f"{person.kind}Id": person.key}
            records.append({"attributes": {"type": "CampaignMember"}, **place})
        answers = self._calls.collection("POST", "", records)
        outcomes = {one.change_id: _outcome(one, answer) for one, answer in zip(known, answers, strict=True)}
        there = [one for one in known if (fault := outcomes[one.change_id].fault) and fault.code == errors.DUPLICATE]
        members = self.members(there) if there else {}
        outcomes |= {one.change_id: Outcome(one.change_id, members[one.marker]) for one in there}
        missing = PlatformFault("missing", "no lead or contact has this id", "customer_id")
        return [outcomes.get(one.change_id, Outcome(one.change_id, fault=missing)) for one in changes]

    def remove(self, changes: Sequence[Change]) -> list[Outcome]:
        def bring(change: Change) -> str:
            self._calls.ask("DELETE", f"sobjects/CampaignMember/{change.target}")
            return change.target

        return singly(changes, bring)

    def members(self, changes: Sequence[Change]) -> dict[str, str]:
        """The memberships that changes want, by marker."""
        persons = self._leads.persons([str(one.fields["customer_id"]) for one in changes])
        lists, there = quoted({one.parent for one in changes}), dict[tuple[str, str], str]()
        for part in parts(one.key for one in persons.values()):
            select = "SELECT Id, CampaignId, LeadOrContactId FROM CampaignMember"
            of = f"WHERE CampaignId IN {lists} AND LeadOrContactId IN {quoted(part)}"
            there |= {
                (one["CampaignId"], one["LeadOrContactId"]): one["Id"] for one in self._calls.query(f"{select} {of}")
            }
        wanted = {
            one.marker: (one.parent, person.key)
            for one in changes
            if (person := persons.get(str(one.fields["customer_id"])))
        }
        return {marker: there[place] for marker, place in wanted.items() if place in there}

    def memberships(self, ids: Collection[str] | None, id_field: str) -> Iterator[PlatformObject]:
        """Members, deleted ones too."""
        columns = f"Id, CampaignId, IsDeleted, Lead.{id_field}, Contact.{id_field}, LeadOrContactId, SystemModstamp"
        wheres = (
            [f"Campaign.{self._marker} != null"] if ids is None else [f"Id IN {quoted(part)}" for part in parts(ids)]
        )
        select = f"SELECT {columns} FROM CampaignMember WHERE"
        found = [one for where in wheres for one in self._calls.query(f"{select} {where}", deleted=True)]
        named = {one["Id"]: (one.get("Contact") or one.get("Lead") or {}).get(id_field) for one in found}
        customers = self._leads.customers(one["LeadOrContactId"] for one in found if not named[one["Id"]])
        for one in found:
            customer = named[one["Id"]] or customers.get(one["LeadOrContactId"])
            fields = {"customer_id": customer, "status": "removed" if one["IsDeleted"] else "live"}
            yield PlatformObject("list_member", one["Id"], fields, one["CampaignId"], one["SystemModstamp"])


def _written(fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": fields["name"]} if "name" in fields else {}
    if "status" in fields:
        found["IsActive"], found["Status"] = _STATUS[fields["status"]]
    return found


def _outcome(change: Change, answer: Record) -> Outcome:
    if answer["success"]:
        return Outcome(change.change_id, answer["id"])
    if any(errors.code(one) == errors.LOCKED for one in answer["errors"]):
        return Outcome(change.change_id, wait_s=errors.LOCK_S)
    return Outcome(change.change_id, fault=errors.fault(answer["errors"], {"Name": "name", **_MEMBER}))
