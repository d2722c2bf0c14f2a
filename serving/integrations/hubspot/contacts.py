"""Scores of contacts, each with a note that tells its reason."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from serving.integrations.change import Change, Fields, PlatformObject
from serving.integrations.hubspot import errors
from serving.integrations.hubspot.calls import Answer, HubSpotCalls
from serving.integrations.hubspot.credentials import HubSpotCredentials
from serving.integrations.platform import Outcome

_PLAIN = {"email": "email", "first_name": "firstname", "last_name": "lastname", "company": "company"}
FIELDS = ("customer_id", "score", "reason", *_PLAIN, "status")


def names(settings: HubSpotCredentials) -> dict[str, str]:
    """The fields of leads by HubSpot's name, in the words of changes."""
    own = {"customer_id": settings.id_property, "score": settings.score_property, "reason": settings.reason_property}
    return {theirs: ours for ours, theirs in {**own, **_PLAIN}.items()}


class HubSpotContacts:
    def __init__(self, calls: HubSpotCalls, settings: HubSpotCredentials) -> None:
        self._calls, self._settings, self._names = calls, settings, names(settings)

    def score(self, changes: Sequence[Change]) -> list[Outcome]:
        """Upsert by the customer's id, then tell the reason in a note. A second change of a customer waits."""
        first = {str(one.fields["customer_id"]): one for one in reversed(changes)}
        inputs = [
            {
                "id": customer,
                "idProperty": self._settings.id_property,
                "properties": self._written(change.fields),
                "objectWriteTraceId": change.marker,
            }
            for customer, change in first.items()
        ]
        answers = self._calls.batch("contacts", "upsert", inputs)
        outcomes = {one.change_id: _outcome(one, answers[one.marker], self._names) for one in first.values()}
        outcomes |= self._note([one for one in first.values() if outcomes[one.change_id].object_id], outcomes)
        return [outcomes.get(one.change_id, Outcome(one.change_id, wait_s=0.0)) for one in changes]

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        inputs = [
            {"id": one.target, "properties": self._written(one.fields), "objectWriteTraceId": one.marker}
            for one in changes
        ]
        answers = self._calls.batch("contacts", "update", inputs)
        outcomes = {one.change_id: _outcome(one, answers[one.marker], self._names) for one in changes}
        outcomes |= self._note(
            [one for one in changes if _is_scoring(one) and outcomes[one.change_id].object_id], outcomes
        )
        return [outcomes[one.change_id] for one in changes]

    def found(self, changes: Sequence[Change]) -> dict[str, str]:
        """Whose note tells of a change, by marker. A note that nobody has yet counts as none."""
        marker = self._settings.marker_property
        notes = {
            str(one["id"]): one["properties"][marker]
            for one in self._calls.read("notes", [one.marker for one in changes], [marker], by=marker)
        }
        return {notes[note]: contact for note, contact in self._calls.associated("notes", "contacts", notes).items()}

    def ids(self, customers: Collection[str]) -> dict[str, str]:
        """The contacts of customers."""
        own = self._settings.id_property
        return {
            one["properties"][own]: str(one["id"]) for one in self._calls.read("contacts", customers, [own], by=own)
        }

    def customers(self, ids: Collection[str]) -> dict[str, str | None]:
        """The customers of contacts."""
        own = self._settings.id_property
        return {str(one["id"]): one["properties"].get(own) for one in self._calls.read("contacts", ids, [own])}

    def objects(self, ids: Collection[str] | None) -> Iterator[PlatformObject]:
        if ids is None:
            known = {"propertyName": self._settings.id_property, "operator": "HAS_PROPERTY"}
            found = self._calls.search("contacts", [known], list(self._names))
        else:
            found = self._calls.read("contacts", ids, list(self._names))
        yield from (self._object(one) for one in found)

    def _object(self, contact: Answer) -> PlatformObject:
        shown = contact["properties"]
        fields: dict[str, Any] = {ours: shown.get(theirs) or None for theirs, ours in self._names.items()}
        fields["score"] = None if fields["score"] is None else float(fields["score"])
        fields["status"] = "removed" if fields["score"] is None else "live"
        return PlatformObject("lead", str(contact["id"]), fields, version=str(contact.get("updatedAt", "")))

    def _written(self, fields: Fields) -> dict[str, str]:
        """Only the properties of the change: what else a contact has, its owner first of all, is people's."""
        found = {theirs: str(fields[ours]) for theirs, ours in self._names.items() if ours in fields}
        if fields.get("status") == "removed":
            found |= {self._settings.score_property: "", self._settings.reason_property: ""}
        return found

    def _note(self, changes: Sequence[Change], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """The outcomes of those whose note is not written."""
        marker = self._settings.marker_property
        inputs = [
            {
                "id": one.marker,
                "idProperty": marker,
                "properties": {
                    "hs_timestamp": str(round(time.time() * 1000)),
                    "hs_note_body": f"adloop: score {one.fields['score']:g}. {one.fields['reason']}",
                },
                "objectWriteTraceId": one.marker,
            }
            for one in changes
        ]
        answers = self._calls.batch("notes", "upsert", inputs)
        told = {one.change_id: _outcome(one, answers[one.marker], {}) for one in changes}
        self._calls.associate(
            *("notes", "contacts"),
            {one.object_id: outcomes[key].object_id for key, one in told.items() if one.object_id},
        )
        return {key: one for key, one in told.items() if not one.object_id}


def _is_scoring(change: Change) -> bool:
    return change.fields.get("score") is not None and bool(change.fields.get("reason"))


def _outcome(change: Change, answer: Answer, names: Mapping[str, str]) -> Outcome:
    if answer.get("id"):
        return Outcome(change.change_id, str(answer["id"]))
    return Outcome(change.change_id, fault=errors.fault(answer["errors"][0], names))
