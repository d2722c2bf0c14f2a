"""What the organization holds: a lead and its owner, a converted lead and its contact, and an account."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.integrations.change import Fields

ORGANIZATION, USER, OWNER = "00D000000000001AAA", "005000000000001AAA", "005000000000002AAA"
LEAD, CONVERTED, CONTACT = "00Q000000000001AAA", "00Q000000000002AAA", "003000000000001AAA"
ACCOUNT = "001000000000001AAA"
_PREFIX = {"Lead": "00Q", "Contact": "003", "Task": "00T", "Campaign": "701", "CampaignMember": "00v", "User": "005"}
#: The fields that can be written, with the most signs of texts.
_PERSON = {
    **{"adloop_id__c": 80, "adloop_score__c": 0, "adloop_reason__c": 255, "Email": 80},
    **{"FirstName": 40, "LastName": 80, "OwnerId": 18},
}
FIELDS: Mapping[str, Mapping[str, int]] = {
    "Lead": {**_PERSON, "Company": 255},
    "Contact": _PERSON,
    "Task": {"adloop_marker__c": 80, "WhoId": 18, "Subject": 255, "Description": 32000, "Status": 40},
    "Campaign": {"adloop_marker__c": 80, "Name": 80, "IsActive": 0, "Status": 40},
    "CampaignMember": {"CampaignId": 18, "LeadId": 18, "ContactId": 18},
}
#: What is null where nobody has set it.
READ_ONLY = {"Lead": ("IsConverted", "ConvertedContactId"), "CampaignMember": ("LeadOrContactId",)}
EXTERNAL = {
    "Lead": "adloop_id__c",
    "Contact": "adloop_id__c",
    "Task": "adloop_marker__c",
    "Campaign": "adloop_marker__c",
}
#: Days before today on each of which an opportunity was won.
DAYS = 45
Record = dict[str, Any]


class SalesforceState:
    """Attributes:
    locked: ids of records whose next write meets a lock.
    page: most records of an answer to a query.
    calls, most_calls: of the day.
    """

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Record]] = {}
        self._next, self._clock = 100, 0.0
        self.locked, self.page, self.calls, self.most_calls = set[str](), 2000, 0, 100_000
        person = {"adloop_score__c": None, "adloop_reason__c": None, "OwnerId": OWNER, "Email": None, "FirstName": None}
        lead = {**person, "Company": "Example", "IsConverted": False, "ConvertedContactId": None}
        self.put("Organization", ORGANIZATION, {"Name": "Example", "TimeZoneSidKey": "Europe/Berlin"})
        self.put("User", USER, {"Name": "adloop", "Username": "adloop@example.org"})
        self.put("User", OWNER, {"Name": "Olga Owner", "Username": "olga@example.org"})
        self.put("Lead", LEAD, {**lead, "adloop_id__c": "known", "LastName": "Byron", "adloop_score__c": 5.0})
        self.put("Contact", CONTACT, {**person, "adloop_id__c": None, "LastName": "Babbage", "AccountId": ACCOUNT})
        became = {"IsConverted": True, "ConvertedContactId": CONTACT, "adloop_id__c": "converted"}
        self.put("Lead", CONVERTED, {**lead, **became, "LastName": "Babbage"})
        self.put("Account", ACCOUNT, {"Name": "Engines Ltd", "Industry": "Machinery", "NumberOfEmployees": 12})
        for ago in range(1, DAYS + 1):
            day = datetime.now(UTC).date() - timedelta(days=ago)
            self.win(f"006{ago:012d}AAB", day.isoformat(), 100.0 + ago)

    def put(self, kind: str, key: str, fields: Record, by: str = USER) -> str:
        """Make or change a record. Every change has a time of its own."""
        self._clock = max(time.time(), self._clock + 1.0)
        at = f"{datetime.fromtimestamp(self._clock, UTC):%Y-%m-%dT%H:%M:%S.000+0000}"
        empty = dict.fromkeys((*FIELDS.get(kind, ()), *READ_ONLY.get(kind, ())))
        record = self.kept.setdefault(kind, {}).get(key) or {**empty, "Id": key, "IsDeleted": False, "OwnerId": USER}
        if kind == "Lead" and record.get("IsConverted") is None:
            record["IsConverted"] = False
        stamps = {"SystemModstamp": at, "LastModifiedDate": at, "LastModifiedById": by}
        self.kept[kind][key] = {**record, **fields, **stamps}
        return key

    def new_id(self, kind: str) -> str:
        self._next += 1
        return f"{_PREFIX.get(kind, '006')}{self._next:012d}AAA"

    def by_external(self, kind: str, value: str) -> str:
        """The id of the record with this external id; empty where there is none."""
        found = [key for key, one in self.kept.get(kind, {}).items() if one[EXTERNAL[kind]] == value]
        return found[0] if found else ""

    def win(self, key: str, day: str, amount: float | None, contact: str = "") -> None:
        """A won opportunity."""
        won = {"Amount": amount, "CloseDate": day, "IsWon": True, "Type": "New", "LeadSource": "Web"}
        self.put("Opportunity", key, {**won, "AccountId": ACCOUNT})
        if contact:
            role = {"OpportunityId": key, "ContactId": contact, "IsPrimary": True}
            self.put("OpportunityContactRole", f"00K{key[3:]}", role)

    def objects(self) -> Mapping[str, Any]:
        return {kind: list(found.values()) for kind, found in self.kept.items()}

    def markers(self) -> Sequence[str]:
        marked = [*self.kept.get("Task", {}).values(), *self.kept.get("Campaign", {}).values()]
        return [one["adloop_marker__c"] for one in marked if one.get("adloop_marker__c")]

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        kind, names = {"lead": ("Lead", {"score": "adloop_score__c", "reason": "adloop_reason__c"})}.get(
            object, ("Campaign", {"name": "Name"})
        )
        if object_id.startswith("003"):
            kind = "Contact"
        editor = next((key for key, one in self.kept["User"].items() if one["Username"] == by), "")
        editor = editor or self.put("User", self.new_id("User"), {"Name": by, "Username": by})
        self.put(kind, object_id, {names[name]: value for name, value in fields.items()}, editor)
