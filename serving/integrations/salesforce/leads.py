"""Scores of leads, each with a task that tells its reason; a converted lead's score goes to its contact."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from serving.integrations.change import Change, Fields, PlatformObject
from serving.integrations.platform import CallRefused, Outcome
from serving.integrations.salesforce import errors
from serving.integrations.salesforce.calls import Record, SalesforceCalls, parts, quoted
from serving.integrations.salesforce.credentials import SalesforceCredentials
from serving.integrations.singly import singly

_CONTACT = "003"
#: Salesforce's own words for what a lead must have and nobody told.
_UNKNOWN = "[not provided]"
_PLAIN = {"email": "Email", "first_name": "FirstName", "last_name": "LastName", "company": "Company"}
FIELDS = ("customer_id", "score", "reason", *_PLAIN, "status")


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Where a customer is: a lead, or a contact. `lead` was converted to it, where it is one that was."""

    kind: str
    key: str
    lead: str = ""

    @property
    def told(self) -> str:
        """What people should know of it."""
        if self.kind == "Lead":
            return ""
        why = f"lead {self.lead} was converted" if self.lead else "the customer is a contact and no lead"
        return f"{why}: contact {self.key} was updated"


def names(settings: SalesforceCredentials) -> dict[str, str]:
    """The fields of leads by Salesforce's name, in the words of changes."""
    own = {"customer_id": settings.id_field, "score": settings.score_field, "reason": settings.reason_field}
    return {theirs: ours for ours, theirs in {**own, **_PLAIN}.items()}


class SalesforceLeads:
    def __init__(self, calls: SalesforceCalls, settings: SalesforceCredentials) -> None:
        self._calls, self._settings, self._names = calls, settings, names(settings)
        self._seen = dict[str, str]()  # when a record was edited last, as it was read

    def score(self, changes: Sequence[Change]) -> list[Outcome]:
        """Upsert by the customer's id, then tell the reason in a task. A second change of a customer waits."""
        first = {str(one.fields["customer_id"]): one for one in reversed(changes)}
        there = self.persons(first)
        outcomes = dict[str, Outcome]()
        for kind in ("Lead", "Contact"):
            of = {key: one for key, one in first.items() if there.get(key, _NEW).kind == kind}
            outcomes |= self._write(kind, of, there)
        done = [one for one in first.values() if outcomes[one.change_id].object_id]
        outcomes |= self._note(done, outcomes)
        return [outcomes.get(one.change_id, Outcome(one.change_id, wait_s=0.0)) for one in changes]

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        told = dict[str, str]()

        def bring(change: Change) -> str:
            key, told[change.change_id] = self._set(change)
            return key

        brought = {one.change_id: one for one in singly(changes, bring)}
        outcomes = {key: replace(one, told=told.get(key, "")) for key, one in brought.items()}
        scored = [one for one in changes if outcomes[one.change_id].object_id and _is_scoring(one)]
        outcomes |= self._note(scored, outcomes)
        return [outcomes[one.change_id] for one in changes]

    def persons(self, customers: Collection[str]) -> dict[str, PersonRecord]:
        """Where these customers are."""
        found, id_field = dict[str, PersonRecord](), self._settings.id_field
        for part in parts(customers):
            of = f"WHERE {id_field} IN {quoted(part)}"
            for one in self._calls.query(f"SELECT Id, {id_field} FROM Contact {of}"):
                found[one[id_field]] = PersonRecord("Contact", one["Id"])
            for one in self._calls.query(f"SELECT Id, {id_field}, IsConverted, ConvertedContactId FROM Lead {of}"):
                found[one[id_field]] = (
                    PersonRecord("Contact", one["ConvertedContactId"], one["Id"])
                    if one["IsConverted"]
                    else PersonRecord("Lead", one["Id"])
                )
        return found

    def found(self, changes: Sequence[Change]) -> dict[str, str]:
        """Who has the task of a change, by marker."""
        marker, found = self._settings.marker_field, dict[str, str]()
        for part in parts(one.marker for one in changes):
            tasks = self._calls.query(f"SELECT WhoId, {marker} FROM Task WHERE {marker} IN {quoted(part)}")
            found |= {one[marker]: one["WhoId"] for one in tasks}
        return found

    def objects(self, ids: Collection[str] | None) -> Iterator[PlatformObject]:
        for kind in ("Lead", "Contact"):
            columns = [
                "Id",
                "SystemModstamp",
                *(name for name in self._names if (kind, name) != ("Contact", "Company")),
            ]
            select = f"SELECT {', '.join(columns)} FROM {kind} WHERE"
            of = None if ids is None else [one for one in ids if one.startswith(_CONTACT) == (kind == "Contact")]
            open_ones = " AND IsConverted = false" if kind == "Lead" else ""
            wheres = (
                [f"{self._settings.id_field} != null{open_ones}"]
                if of is None
                else [f"Id IN {quoted(part)}" for part in parts(of)]
            )
            records = [one for where in wheres for one in self._calls.query(f"{select} {where}")]
            customers = self.customers(one["Id"] for one in records if not one[self._settings.id_field])
            yield from (self._object(one, customers) for one in records)

    def customers(self, contacts: Iterable[str]) -> dict[str, str]:
        """The customers of contacts without the customer's id: those of the leads that became them."""
        own, found = self._settings.id_field, dict[str, str]()
        for part in parts(contacts):
            of = f"WHERE {own} != null AND ConvertedContactId IN {quoted(part)}"
            leads = self._calls.query(f"SELECT {own}, ConvertedContactId FROM Lead {of}")
            found |= {one["ConvertedContactId"]: one[own] for one in leads}
        return found

    def _object(self, record: Record, customers: Mapping[str, str]) -> PlatformObject:
        self._seen[record["Id"]] = record["SystemModstamp"]
        fields = {ours: record[theirs] for theirs, ours in self._names.items() if theirs in record}
        fields["customer_id"] = fields["customer_id"] or customers.get(record["Id"])
        fields["status"] = "removed" if fields["score"] is None else "live"
        return PlatformObject("lead", record["Id"], fields, version=record["SystemModstamp"])

    def _write(self, kind: str, changes: Mapping[str, Change], there: Mapping[str, PersonRecord]) -> dict[str, Outcome]:
        records = list[Record]()
        for customer, change in changes.items():
            record = {"attributes": {"type": kind}, **self._written(change.fields, kind)}
            if kind == "Contact":
                record |= {"id": there[customer].key}
            elif customer not in there:
                record = {"LastName": _UNKNOWN, "Company": _UNKNOWN, **record}
            records.append(record)
        path = f"/Lead/{self._settings.id_field}" if kind == "Lead" else ""
        answers = self._calls.collection("PATCH", path, records)
        return {
            change.change_id: replace(_outcome(change, answer, self._names), told=there.get(customer, _NEW).told)
            for (customer, change), answer in zip(changes.items(), answers, strict=True)
        }

    def _written(self, fields: Fields, kind: str) -> dict[str, Any]:
        """Only the fields of the change: what else a record has, its owner first of all, is people's."""
        found = {theirs: fields[ours] for theirs, ours in self._names.items() if ours in fields}
        if fields.get("status") == "removed":
            found |= {self._settings.score_field: None, self._settings.reason_field: None}
        if kind == "Contact":
            found = {name: value for name, value in found.items() if name not in ("Company", self._settings.id_field)}
        return found

    def _note(self, changes: Sequence[Change], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
        marker = self._settings.marker_field
        records = [
            {
                "attributes": {"type": "Task"},
                marker: change.marker,
                "WhoId": outcomes[change.change_id].object_id,
                "Subject": f"adloop: score {change.fields['score']:g}",
                "Description": "\n".join(
                    one for one in (str(change.fields["reason"]), outcomes[change.change_id].told) if one
                ),
                "Status": "Completed",
            }
            for change in changes
        ]
        answers = self._calls.collection("PATCH", f"/Task/{marker}", records)
        told = {change.change_id: _outcome(change, answer, {}) for change, answer in zip(changes, answers, strict=True)}
        return {key: one for key, one in told.items() if not one.object_id}

    def _set(self, change: Change) -> tuple[str, str]:
        """Set fields of a record; its id, and what people should know."""
        kind = "Contact" if change.target.startswith(_CONTACT) else "Lead"
        fields = self._written(change.fields, kind)
        try:
            self._calls.change(kind, change.target, fields, self._seen.get(change.target, ""))
        except CallRefused as refused:
            if refused.fault.code != errors.CONVERTED:
                raise
            query = f"SELECT ConvertedContactId FROM Lead WHERE Id IN {quoted([change.target])}"
            person = PersonRecord("Contact", next(self._calls.query(query))["ConvertedContactId"], change.target)
            self._calls.change("Contact", person.key, self._written(change.fields, "Contact"))
            return person.key, person.told
        return change.target, ""


_NEW = PersonRecord("Lead", "")


def _is_scoring(change: Change) -> bool:
    return change.fields.get("score") is not None and bool(change.fields.get("reason"))


def _outcome(change: Change, answer: Record, names: Mapping[str, str]) -> Outcome:
    """Of one record of a collection. A record that is locked, or was converted meanwhile, is tried again."""
    if answer["success"]:
        return Outcome(change.change_id, answer["id"])
    wrong = answer["errors"]
    if any(errors.code(one) in (errors.LOCKED, errors.CONVERTED) for one in wrong):
        return Outcome(change.change_id, wait_s=errors.LOCK_S)
    return Outcome(change.change_id, fault=errors.fault(wrong, names))
