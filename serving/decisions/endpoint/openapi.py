"""The routes as OpenAPI tells them: schemas from the same declarations that check requests, and examples."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

from serving.access.scopes import Scope
from serving.decisions.endpoint import forms
from serving.decisions.endpoint.fields import Schema
from serving.decisions.feedback import Status
from serving.decisions.records import Action, Arm, Decision, Touch, Trigger

_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message"],
            "properties": {name: {"type": "string"} for name in ("message", "field", "expected", "got")},
        }
    },
    "example": {
        "error": {
            "message": "opportunities[3].hour: expected a whole number from 0 to 23, or null, got 25",
            "field": "opportunities[3].hour",
            "expected": "a whole number from 0 to 23, or null",
            "got": "25",
        }
    },
}
_KEYED = {
    400: "The body is not JSON.",
    401: "No key, or none that is known.",
    403: "The key lacks the scope, or is not for the account or family.",
    413: "The body is too large.",
    422: "A field is missing, unknown or wrong: the answer names it.",
    429: "The key's rate is used up; `retry-after` says for how long.",
    503: "It cannot be done now; `retry-after` says when to ask again.",
}


def _record(kind: type, **known: Schema) -> Schema:
    """The schema of one of the engine's records."""
    hints = get_type_hints(kind)
    properties = {one.name: known.get(one.name) or _plain(hints[one.name]) for one in fields(kind)}
    return {"type": "object", "required": list(properties), "properties": properties}


def _plain(hint: Any) -> Schema:
    options = [one for one in get_args(hint) if get_origin(hint) is not None] or [hint]
    names = {str: "string", float: "number", int: "number", bool: "boolean", type(None): "null"}
    found = [{"type": names[one]} for one in options if one in names]
    return found[0] if len(found) == 1 else {"anyOf": found} if found else {"type": "object"}


_DECISION = _record(
    Decision,
    action={"type": "string", "enum": [one.value for one in Action]},
    arm={"type": "string", "enum": list(get_args(Arm))},
    triggers={"type": "array", "items": _record(Trigger)},
    guardrails={"type": "array", "items": _record(Touch)},
)
_DECISIONS = {
    "type": "object",
    "required": ["decisions"],
    "properties": {"decisions": {"type": "array", "items": _DECISION}},
}
_COUNTED = {
    "type": "object",
    "required": list(get_args(Status)),
    "properties": {status: {"type": "integer", "minimum": 0} for status in get_args(Status)},
    "example": {"joined": 1, "again": 0, "waits": 0},
}


@dataclass(frozen=True)
class Route:
    """A route as it is told; `scope` is what its key needs, None where none is asked for."""

    method: str
    path: str
    summary: str
    answer: Schema
    body: Schema | None = None
    scope: Scope | None = None
    media: str = "application/json"
    unready: bool = False

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """What may be answered."""
        found: dict[int | str, dict[str, Any]] = {
            200: {"description": "Answered.", "content": {self.media: {"schema": self.answer}}}
        }
        error = {"application/json": {"schema": _ERROR}}
        told = _KEYED if self.scope is not None else {}
        found |= {status: {"description": text, "content": error} for status, text in told.items()}
        if self.unready:
            found[503] = {"description": "Not so.", "content": {self.media: {"schema": self.answer}}}
        return found

    def extra(self) -> dict[str, Any]:
        """What FastAPI does not see of a handler that reads its request itself."""
        extra: dict[str, Any] = {}
        if self.body is not None:
            extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": self.body}}}
        if self.scope is not None:
            extra["security"] = [{"key": [self.scope]}]
        return extra


_OBJECT: Schema = {"type": "object"}
ROUTES = (
    Route(
        "POST",
        "/v1/decisions",
        f"Decide one opportunity, or up to {forms.BATCH} of them in one go.",
        {"anyOf": [_DECISION, _DECISIONS]},
        forms.one_or_many(forms.OPPORTUNITY, "opportunities"),
        "decide",
    ),
    Route(
        "POST",
        "/v1/feedback",
        "Tell what came of decisions. Told again, an event is not counted again.",
        _COUNTED,
        forms.one_or_many(forms.EVENT, "events"),
        "feedback",
    ),
    Route(
        "POST",
        "/v1/campaigns",
        "Set a campaign's daily budget, its limit in all, targets and how it is divided; they stand until set again.",
        _OBJECT,
        forms.TERMS.schema,
        "admin",
    ),
    Route(
        "POST",
        "/v1/accounts",
        "Set what all campaigns of an account may spend together, a day and in all; null: no limit.",
        _OBJECT,
        forms.LIMITS.schema,
        "admin",
    ),
    Route(
        "POST",
        "/v1/kill",
        "Stop a campaign, an account or (naming neither) everything, at once; without a reason it runs again.",
        _OBJECT,
        forms.STOP.schema,
        "admin",
    ),
    Route(
        "POST",
        "/v1/override",
        "Bid exactly this for a campaign, or (no bid) leave it to the baseline; `stands: no` takes it back.",
        _OBJECT,
        forms.WORD.schema,
        "admin",
    ),
    Route("GET", "/metrics", "Figures for Prometheus.", {"type": "string"}, scope="metrics", media="text/plain"),
    Route("GET", "/health/live", "Whether it works at all.", _OBJECT, unready=True),
    Route(
        "GET",
        "/health/ready",
        "Whether it may be sent requests, and by which models it answers.",
        _OBJECT,
        unready=True,
    ),
)


def secured(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """FastAPI's document with the kind of key that the routes ask for."""

    def document() -> dict[str, Any]:
        found = make()
        schemes = found.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer", "description": "A key made by `adloop key`."}
        return found

    return document
