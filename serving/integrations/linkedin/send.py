"""Brings changes to LinkedIn: campaigns and groups many in a call, all else one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from serving.integrations.change import Change, Fields
from serving.integrations.linkedin import check, errors, fields, objects, targeting
from serving.integrations.linkedin.restli import RestliClient, text
from serving.integrations.platform import Outcome, Unanswered
from serving.integrations.singly import singly

_SEGMENTS = ("audiences", "excluded_audiences")


def dry(changes: Sequence[Change]) -> list[Outcome]:
    return [Outcome(one.change_id, fault=check.unspeakable(one) or check.refused(one)) for one in changes]


class LinkedInSender:
    """Sends changes of one kind and doing."""

    def __init__(
        self, api: RestliClient, place: objects.LinkedInPlace, segments: Callable[[], Mapping[str, str]]
    ) -> None:
        self._api, self._place, self._segments = api, place, segments

    def send(self, changes: Sequence[Change]) -> list[Outcome]:
        faults = {one.change_id: fault for one in changes if (fault := check.unspeakable(one)) is not None}
        outcomes = {key: Outcome(key, fault=fault) for key, fault in faults.items()}
        left = [self._by_urn(one) for one in changes if one.change_id not in faults]
        if left:
            outcomes |= {one.change_id: one for one in self._send(left)}
        return [outcomes[one.change_id] for one in changes]

    def _send(self, changes: Sequence[Change]) -> list[Outcome]:
        kind, doing = changes[0].object, changes[0].doing
        if kind == "company":
            return self._companies(changes)
        if kind in ("campaign", "ad_group"):
            return self._create_each(changes) if doing == "create" else self._update_each(changes)
        return singly(changes, self._alone)

    def _create_each(self, changes: Sequence[Change]) -> list[Outcome]:
        bodies = [objects.NEW[one.object](one, self._place) for one in changes]
        answers = self._api.create_each(self._path(changes[0]), bodies)
        return [_outcome(one, answer) for one, answer in zip(changes, answers, strict=True)]

    def _update_each(self, changes: Sequence[Change]) -> list[Outcome]:
        path = self._path(changes[0])
        merged = [one for one in changes if set(one.fields) & {"name", *targeting.FIELDS}]
        now = self._api.get_each(path, [one.target for one in merged]) if merged else {}
        patches = {one.target: self._patch(one.fields, now.get(one.target, {})) for one in changes}
        wrong = self._api.update_each(path, patches)
        return [
            Outcome(one.change_id, one.target, errors.fault(wrong[one.target]) if one.target in wrong else None)
            for one in changes
        ]

    def _patch(self, wanted: Fields, now: Mapping[str, Any]) -> dict[str, Any]:
        found = fields.written(wanted, self._place.currency)
        if "name" in wanted:
            found["name"] = fields.renamed(wanted["name"], now.get("name", ""))
        if set(wanted) & set(targeting.FIELDS):
            found["targetingCriteria"] = targeting.written(wanted, now.get("targetingCriteria", {}))
        return fields.patch(found)

    def _alone(self, change: Change) -> str:
        if change.doing == "update":
            self._ad(change)
            return change.target
        place = self._api.create(self._path(change), objects.NEW[change.object](change, self._place))
        return fields.id_of(place) if change.object == "ad" else place

    def _ad(self, change: Change) -> None:
        urn, found = fields.CREATIVE + change.target, dict[str, Any]()
        if "status" in change.fields:
            found["intendedStatus"] = fields.written({"status": change.fields["status"]}, self._place.currency)[
                "status"
            ]
        if "name" in change.fields:
            now = self._api.get_each(self._path(change), [urn]).get(urn, {})
            found["name"] = fields.renamed(change.fields["name"], now.get("name", ""))
        if "post" in change.fields:
            found["content"] = {"reference": change.fields["post"]}
        self._api.update(f"{self._path(change)}/{text(urn)}", fields.patch(found))

    def _companies(self, changes: Sequence[Change]) -> list[Outcome]:
        """Adding a company that is there already changes nothing, so that a call can be sent again."""
        outcomes = dict[str, Outcome]()
        for audience in {one.parent for one in changes}:
            of = [one for one in changes if one.parent == audience]
            answers = self._api.create_each(f"dmpSegments/{audience}/companies", [objects.company(one) for one in of])
            outcomes |= {one.change_id: _outcome(one, answer) for one, answer in zip(of, answers, strict=True)}
        return [outcomes[one.change_id] for one in changes]

    def _path(self, change: Change) -> str:
        within = objects.COLLECTIONS.get(change.object)
        outside = {"post": "posts", "audience": "dmpSegments"}
        return f"adAccounts/{self._place.account}/{within}" if within else outside[change.object]

    def _by_urn(self, change: Change) -> Change:
        """The change with the URNs of segments in place of audiences."""
        if change.object != "ad_group" or not any(change.fields.get(name) for name in _SEGMENTS):
            return change
        urns = self._segments()
        named = {
            name: [urns.get(one, one) for one in change.fields[name]] for name in _SEGMENTS if name in change.fields
        }
        return replace(change, fields={**change.fields, **named})


def _outcome(change: Change, answer: Mapping[str, Any]) -> Outcome:
    status = int(answer.get("status", 500))
    if status >= 500:
        raise Unanswered(f"linkedin: one of a batch was answered {status}")
    if status == 429:
        return Outcome(change.change_id, wait_s=errors.WINDOW_S)
    if status >= 400:
        return Outcome(change.change_id, fault=errors.fault({"status": status, **answer.get("error", {})}))
    return Outcome(change.change_id, str(answer.get("id", change.fields.get("domain", ""))))
