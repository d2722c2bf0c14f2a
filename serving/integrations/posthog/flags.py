"""Feature flags as rollouts: the share of people who get a feature, and whether it is on."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from serving.integrations.change import Change, Fields, PlatformFault, PlatformObject
from serving.integrations.platform import CallRefused, OutsideEdit
from serving.integrations.posthog.calls import PosthogCalls

FIELDS = ("name", "key", "status", "percentage")
_MARKED = re.compile(r" ?\[adloop ([0-9a-f]{16})\]$")
_ACTIVE = {"live": True, "paused": False}
#: PostHog's names of fields, in the words of changes.
_NAMES = {"filters": "percentage", "active": "status"}


class PosthogFlags:
    """The flags of a project."""

    def __init__(self, calls: PosthogCalls) -> None:
        self._calls, self._path = calls, f"{calls.project}/feature_flags/"

    def create(self, change: Change) -> str:
        """The id of a new flag. A key that is taken is refused by PostHog."""
        fields = {"name": "", "status": "paused", "percentage": 0} | dict(change.fields)
        body = {
            "key": fields.get("key", ""),
            "name": f"{fields['name']} [adloop {change.marker}]".strip(),
            "active": _active(fields["status"]),
            "filters": {"groups": [{"properties": [], "rollout_percentage": _share(fields["percentage"])}]},
        }
        return str(self._ask("POST", self._path, body)["id"])

    def update(self, change: Change) -> str:
        """Set fields of a flag. Its conditions, variants and payloads stay as they are."""
        shown = self._calls.ask("GET", f"{self._path}{change.target}/")
        if shown is None:
            raise CallRefused(PlatformFault("404", "there is no such flag", "target"))
        self._ask("PATCH", f"{self._path}{change.target}/", _patch(change.fields, shown))
        return change.target

    def find(self, changes: Sequence[Change]) -> dict[str, str]:
        """Ids by `change_id`."""
        by_marker = {change.marker: change.change_id for change in changes}
        marked = ((_MARKED.search(str(one["name"])), str(one["id"])) for one in self._calls.pages(self._path))
        return {by_marker[found[1]]: place for found, place in marked if found and found[1] in by_marker}

    def objects(self, ids: Collection[str] | None) -> list[PlatformObject]:
        """These flags, removed ones too; or all that are not removed."""
        if ids is None:
            return [_object(one) for one in self._calls.pages(self._path)]
        found = (self._calls.ask("GET", f"{self._path}{place}/") for place in ids)
        return [_object(one) for one in found if one is not None]

    def edits(self, since: float, own: str) -> list[OutsideEdit]:
        """Edits by others than the user `own`."""
        found = list[OutsideEdit]()
        for line in self._calls.pages(f"{self._path}activity/"):
            at, by = datetime.fromisoformat(line["created_at"]).timestamp(), str((line["user"] or {}).get("email", ""))
            if at < since:
                return found
            if by != own:
                fields = ", ".join(str(one["field"]) for one in line["detail"]["changes"] or [])
                found.append(OutsideEdit("rollout", str(line["item_id"]), by, at, fields or str(line["activity"])))
        return found

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        try:
            return self._calls.ask(method, path, json=body)
        except CallRefused as refused:
            fault = refused.fault
            raise CallRefused(PlatformFault(fault.code, fault.message, _NAMES.get(fault.field, fault.field))) from None


def wrong(change: Change) -> PlatformFault | None:
    """What PostHog surely refuses, for a dry run: it cannot validate without writing."""
    try:
        _active(change.fields.get("status", "paused"))
        _share(change.fields.get("percentage", 0))
    except CallRefused as refused:
        return refused.fault
    if change.doing == "create" and not change.fields.get("key"):
        return PlatformFault("required", "expected a key of letters, digits, - and _", "key")
    return None


def _patch(fields: Fields, shown: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"version": shown.get("version")}  # PostHog refuses where somebody was faster
    if "name" in fields:
        marked = _MARKED.search(str(shown["name"]))
        body["name"] = f"{fields['name']}{marked[0] if marked else ''}"
    if "key" in fields:
        body["key"] = fields["key"]
    if fields.get("status") == "removed":
        body["deleted"] = True
    elif "status" in fields:
        body |= {"active": _active(fields["status"]), "deleted": False}
    if "percentage" in fields:
        groups = shown["filters"]["groups"]
        if len(groups) != 1:
            fault = f"the flag has {len(groups)} sets of conditions, each with its share: a person must set them"
            raise CallRefused(PlatformFault("conditions", fault, "percentage"))
        shared = {**groups[0], "rollout_percentage": _share(fields["percentage"])}
        body["filters"] = {**shown["filters"], "groups": [shared]}
    return body


def _object(told: Mapping[str, Any]) -> PlatformObject:
    groups = (told.get("filters") or {}).get("groups") or []
    status = "removed" if told.get("deleted") else "live" if told["active"] else "paused"
    fields = {"name": _MARKED.sub("", str(told["name"])), "key": told["key"], "status": status}
    if len(groups) == 1:
        share = groups[0].get("rollout_percentage")
        fields["percentage"] = 100.0 if share is None else float(share)  # null: everybody
    return PlatformObject("rollout", str(told["id"]), fields, version=str(told.get("version") or ""))


def _active(status: Any) -> bool:
    if status not in _ACTIVE and status != "removed":
        raise CallRefused(PlatformFault("choice", f"expected live, paused or removed, got {status!r}", "status"))
    return _ACTIVE.get(status, False)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise CallRefused(PlatformFault("range", f"expected 0 to 100, got {value!r}", "percentage"))
    return float(value)
