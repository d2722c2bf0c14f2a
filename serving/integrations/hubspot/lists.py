"""Segments and nurturing lists: static lists of contacts."""

import re
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import quote

from serving.integrations.change import Change, PlatformFault, PlatformObject
from serving.integrations.hubspot.calls import Answer, HubSpotCalls
from serving.integrations.hubspot.contacts import HubSpotContacts
from serving.integrations.platform import CallRefused, Outcome
from serving.integrations.singly import singly

_CONTACTS = "0-1"
_MARKER = re.compile(r" \[adloop [0-9a-f]{16}\]$")
#: Most members of a page.
_PAGE = 250


class HubSpotLists:
    def __init__(self, calls: HubSpotCalls, contacts: HubSpotContacts) -> None:
        self._calls, self._contacts = calls, contacts

    def create(self, changes: Sequence[Change]) -> list[Outcome]:
        """A name is there once only, so that a list with the marker in it cannot be made twice."""

        def bring(change: Change) -> str:
            said = {"name": _name(change), "objectTypeId": _CONTACTS, "processingType": "MANUAL"}
            return str(self._calls.ask("POST", "lists", "/", said)["list"]["listId"])

        return singly(changes, bring)

    def found(self, changes: Sequence[Change]) -> dict[str, str]:
        named = {
            one.marker: self._get(f"/object-type-id/{_CONTACTS}/name/{quote(_name(one), safe='')}") for one in changes
        }
        return {marker: str(one["listId"]) for marker, one in named.items() if one}

    def objects(self, ids: Collection[str] | None) -> Iterator[PlatformObject]:
        found = self._all() if ids is None else (self._get(f"/{one}") for one in ids)
        for one in found:
            if one:
                yield PlatformObject("list", str(one["listId"]), {"name": _MARKER.sub("", one["name"])})

    # Members

    def add(self, changes: Sequence[Change]) -> list[Outcome]:
        """Members already stay so: a call can be sent again."""
        contacts = self._contacts.ids([str(one.fields["customer_id"]) for one in changes])
        outcomes = dict[str, Outcome]()
        for place in {one.parent for one in changes}:
            of = [one for one in changes if one.parent == place and str(one.fields["customer_id"]) in contacts]
            keys = {one.change_id: contacts[str(one.fields["customer_id"])] for one in of}
            if keys:
                self._calls.ask("PUT", "lists", f"/{place}/memberships/add", sorted(set(keys.values())))
            outcomes |= {key: Outcome(key, f"{place}:{contact}") for key, contact in keys.items()}
        missing = PlatformFault("missing", "no contact has this id", "customer_id")
        return [outcomes.get(one.change_id, Outcome(one.change_id, fault=missing)) for one in changes]

    def remove(self, changes: Sequence[Change]) -> list[Outcome]:
        for place in {one.target.split(":")[0] for one in changes}:
            contacts = [one.target.split(":")[1] for one in changes if one.target.startswith(f"{place}:")]
            self._calls.ask("PUT", "lists", f"/{place}/memberships/remove", contacts)
        return [Outcome(one.change_id, one.target) for one in changes]

    def members(self, changes: Sequence[Change]) -> dict[str, str]:
        """The memberships that changes want, by marker."""
        contacts = self._contacts.ids([str(one.fields["customer_id"]) for one in changes])
        there = {place: self._members(place) for place in {one.parent for one in changes}}
        wanted = {one.marker: (one.parent, contacts.get(str(one.fields["customer_id"]), "")) for one in changes}
        return {marker: f"{place}:{contact}" for marker, (place, contact) in wanted.items() if contact in there[place]}

    def memberships(self, ids: Collection[str] | None) -> Iterator[PlatformObject]:
        """Members; of these ids also those that are none any more."""
        if ids is None:
            lists = {str(one["listId"]): self._members(str(one["listId"])) for one in self._all()}
            ids = [f"{place}:{contact}" for place, contacts in lists.items() for contact in contacts]
        else:
            lists = {place: self._members(place) for place in {one.split(":")[0] for one in ids}}
        customers = self._contacts.customers({one.split(":")[1] for one in ids})
        for one in ids:
            place, contact = one.split(":")
            status = "live" if contact in lists[place] else "removed"
            fields = {"customer_id": customers.get(contact), "status": status}
            yield PlatformObject("list_member", one, fields, place)

    def _members(self, place: str) -> set[str]:
        found, after = set[str](), ""
        while True:
            query = {"limit": _PAGE} | ({"after": after} if after else {})
            page = self._calls.ask("GET", "lists", f"/{place}/memberships", **query)
            found |= {str(one["recordId"]) for one in page["results"]}
            after = ((page.get("paging") or {}).get("next") or {}).get("after", "")
            if not after:
                return found

    def _all(self) -> Iterator[Answer]:
        """The lists that carry a marker."""
        offset, more = 0, True
        while more:
            said = {"query": "[adloop", "processingTypes": ["MANUAL"], "offset": offset, "count": _PAGE}
            page = self._calls.ask("POST", "lists", "/search", said)
            yield from (one for one in page["lists"] if _MARKER.search(one["name"]))
            offset, more = page["offset"], page["hasMore"]

    def _get(self, path: str) -> Answer | None:
        """A list; None where there is none."""
        try:
            found: Answer = self._calls.ask("GET", "lists", path)["list"]
        except CallRefused as refused:
            if refused.fault.code in ("OBJECT_NOT_FOUND", "ILS.LIST_NOT_FOUND"):
                return None
            raise
        return found


def _name(change: Change) -> str:
    return f"{change.fields['name']} [adloop {change.marker}]"
