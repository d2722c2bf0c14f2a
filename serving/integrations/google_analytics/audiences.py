"""Audiences by the Admin API: users whose property has a value, such as the segment that adloop gave them."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from serving.integrations.change import Change, Fields, PlatformFault, PlatformObject
from serving.integrations.google_analytics import quota
from serving.integrations.google_analytics.credentials import GoogleAnalyticsCredentials
from serving.integrations.google_analytics.login import ServiceAccountLogin, expired
from serving.integrations.platform import CallRefused, Denied, OutsideEdit, Throttled
from serving.integrations.rest import ask, client

FIELDS = ("name", "description", "status", "days", "dimension", "value")
_MARKED = re.compile(r" \[adloop ([0-9a-f]{16})\]$")
_NAMES = {"display_name": "name", "membership_duration_days": "days", "filter_clauses": "dimension"}


class GoogleAnalyticsAudiences:
    """Audiences of a property, and its description."""

    def __init__(self, credentials: GoogleAnalyticsCredentials, login: ServiceAccountLogin) -> None:
        self._http, self._login = client(credentials.admin_url), login
        self._version, self._property = f"/{credentials.admin_version}", f"properties/{credentials.property}"

    def describe(self) -> dict[str, Any] | None:
        """The property; None where the login sees none."""
        return self._ask("GET", self._property)

    def create(self, change: Change) -> str:
        """The id of a new audience."""
        return _place(self._ask("POST", f"{self._property}/audiences", json=body(change)))

    def update(self, change: Change) -> str:
        """Set the name or description, or archive. Google lets nothing else of an audience be changed."""
        place, fields = f"{self._property}/audiences/{change.target}", change.fields
        if fields.get("status") == "removed":
            self._ask("POST", f"{place}:archive", json={})
            return change.target
        wrong = sorted(set(fields) - {"name", "description"})
        if wrong:
            raise CallRefused(PlatformFault("immutable", "cannot be changed: make a new audience", wrong[0]))
        shown, written = self._ask("GET", place) or {}, dict[str, Any]()
        if "name" in fields:
            marked = _MARKED.search(str(shown.get("displayName", "")))
            written["displayName"] = f"{fields['name']}{marked[0] if marked else ''}"
        if "description" in fields:
            written["description"] = fields["description"]
        self._ask("PATCH", place, json=written, params={"updateMask": ",".join(written)})
        return change.target

    def find(self, changes: Sequence[Change]) -> dict[str, str]:
        """Ids by `change_id`."""
        by_marker = {change.marker: change.change_id for change in changes}
        marked = ((_MARKED.search(one["displayName"]), _place(one)) for one in self._all())
        return {by_marker[found[1]]: place for found, place in marked if found and found[1] in by_marker}

    def objects(self, ids: Collection[str] | None) -> list[PlatformObject]:
        """These audiences, or all. Google shows none that is archived: one that is asked for counts as removed."""
        if ids is None:
            return [_object(one) for one in self._all()]
        found = {place: self._ask("GET", f"{self._property}/audiences/{place}") for place in ids}
        return [
            PlatformObject("audience", place, {"status": "removed"}) if one is None else _object(one)
            for place, one in found.items()
        ]

    def edits(self, since: float) -> list[OutsideEdit]:
        """Edits by others than this service account, from the change history of the Google Analytics account."""
        account = str((self.describe() or {}).get("account", ""))
        asked = {
            "property": self._property,
            "resourceType": ["AUDIENCE"],
            "earliestChangeTime": datetime.fromtimestamp(since, UTC).isoformat(),
        }
        told = self._ask("POST", f"{account}:searchChangeHistoryEvents", json=asked) or {}
        found = list[OutsideEdit]()
        for event in told.get("changeHistoryEvents", []):
            by = str(event.get("userActorEmail") or event.get("actorType", ""))
            if by != self._login.email:
                at = datetime.fromisoformat(event["changeTime"]).timestamp()
                for one in event["changes"]:
                    place = str(one["resource"]).rpartition("/")[2]
                    found.append(OutsideEdit("audience", place, by, at, str(one["action"]).casefold()))
        return found

    def close(self) -> None:
        self._http.close()

    def _all(self) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            asked = {"pageSize": "200", **({"pageToken": token} if token else {})}
            said = self._ask("GET", f"{self._property}/audiences", params=asked) or {}
            yield from said.get("audiences", [])
            token = str(said.get("nextPageToken", ""))
            if not token:
                return

    def _ask(self, method: str, path: str, **said: Any) -> Any:
        """The body of an answer; None where there is no such thing (404)."""
        headers = {"authorization": f"Bearer {self._login.token()}"}
        answer = ask(self._http, method, f"{self._version}/{path}", headers=headers, **said)
        if answer.status_code < 300:
            return answer.json()
        error = answer.json().get("error", {})
        message, status = str(error.get("message", "")), answer.status_code
        if status == 404:
            return None
        if status == 401:
            raise expired()
        if status == 429 or (status == 403 and "quota" in message.casefold()):
            wait = quota.wait_s(message, answer.headers.get("retry-after", ""))
            raise Throttled(wait, f"google_analytics: {message}")
        if status == 403:
            raise Denied(f"google_analytics: {message}; give the service account the role Editor of the property")
        raise CallRefused(PlatformFault(str(error.get("status", status)), message, _field(error)))


def body(change: Change) -> dict[str, Any]:
    """An audience as the Admin API takes it."""
    fields: Fields = {"description": "Made by adloop.", "days": 30} | dict(change.fields)
    value = {"matchType": "EXACT", "value": str(fields.get("value", ""))}
    condition = {"fieldName": f"customUser:{fields.get('dimension', '')}", "stringFilter": value}
    either = {"orGroup": {"filterExpressions": [{"dimensionOrMetricFilter": condition}]}}
    included = {
        "scope": "AUDIENCE_FILTER_SCOPE_ACROSS_ALL_SESSIONS",
        "filterExpression": {"andGroup": {"filterExpressions": [either]}},
    }
    return {
        "displayName": f"{fields.get('name', '')} [adloop {change.marker}]",
        "description": fields["description"],
        "membershipDurationDays": fields["days"],
        "filterClauses": [{"clauseType": "INCLUDE", "simpleFilter": included}],
    }


def wrong(change: Change) -> PlatformFault | None:
    """What Google surely refuses, for a dry run: the Admin API cannot validate without writing."""
    fields = change.fields
    for name in ("name", "dimension", "value"):
        if change.doing == "create" and not fields.get(name):
            return PlatformFault("missing", f"expected a text, got {fields.get(name)!r}", name)
    days = fields.get("days", 30)
    if not isinstance(days, int) or not 1 <= days <= 540:
        return PlatformFault("range", f"expected 1 to 540, got {days!r}", "days")
    return None


def _object(told: dict[str, Any]) -> PlatformObject:
    fields: dict[str, Any] = {
        "name": _MARKED.sub("", told["displayName"]),
        "description": told.get("description", ""),
        "status": "live",
        "days": int(told["membershipDurationDays"]),
    }
    condition = _condition(told)
    if condition is not None:
        fields |= {"dimension": condition[0], "value": condition[1]}
    return PlatformObject("audience", _place(told), fields)


def _condition(told: dict[str, Any]) -> tuple[str, str] | None:
    """Dimension and value of an audience of one condition; None for those that people build in other ways."""
    try:
        [clause] = told["filterClauses"]
        [both] = clause["simpleFilter"]["filterExpression"]["andGroup"]["filterExpressions"]
        [either] = both["orGroup"]["filterExpressions"]
        found = either["dimensionOrMetricFilter"]
        return str(found["fieldName"]).removeprefix("customUser:"), str(found["stringFilter"]["value"])
    except (KeyError, ValueError, TypeError):
        return None


def _place(told: dict[str, Any]) -> str:
    return str(told["name"]).rpartition("/")[2]


def _field(error: dict[str, Any]) -> str:
    """The field that a refusal names, in the words of changes."""
    paths = (str(one["field"]) for detail in error.get("details", []) for one in detail.get("fieldViolations", []))
    path = next(paths, "").removeprefix("audience.").partition("[")[0].partition(".")[0]
    return _NAMES.get(path, path)
