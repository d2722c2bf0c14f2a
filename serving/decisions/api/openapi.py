"""The OpenAPI document of the routes, from the types of requests and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any, Union

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from serving.access.scopes import Scope
from serving.decisions.api import schemas
from serving.decisions.kinds import kinds
from serving.decisions.records import Decision

Schema = dict[str, Any]

_ERRORS = {
    400: "The body is not JSON.",
    401: "The key is missing or unknown.",
    403: "The key lacks the scope, account or family.",
    413: "The body is too large.",
    422: "A field is missing, unknown or invalid; the answer names it.",
    429: "The key's rate limit is reached; retry after `retry-after` seconds.",
    503: "Temporarily unavailable; retry after `retry-after` seconds.",
}


@dataclass(frozen=True)
class Route:
    """A route.

    Attributes:
        name: its operation id, the method name in generated clients.
        request, answer: types of the body and of the answer; one of several.
        scope: scope that the key needs; None for a route without a key.
        query: query parameters with their descriptions.
        unready: also answers 503.
        deprecated: another path replaces it.
    """

    method: str
    path: str
    name: str
    summary: str
    answer: tuple[Any, ...]
    request: tuple[Any, ...] = ()
    scope: Scope | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    unready: bool = False
    deprecated: bool = False

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """Responses by status."""
        answered = {self.media: {"schema": _any(self.answer, "serialization")}}
        found: dict[int | str, dict[str, Any]] = {200: {"description": "Answered.", "content": answered}}
        error = {"application/json": {"schema": _any((schemas.Refusal,), "serialization")}}
        errors = _ERRORS if self.scope is not None else {}
        found |= {status: {"description": text, "content": error} for status, text in errors.items()}
        if self.unready:
            found[503] = {"description": HTTPStatus(503).phrase, "content": answered}
        return found

    def extra(self) -> dict[str, Any]:
        """The body, parameters and security, which FastAPI cannot derive from the handler."""
        extra: dict[str, Any] = {}
        if self.request:
            content = {"application/json": {"schema": _any(self.request, "validation")}}
            extra["requestBody"] = {"required": True, "content": content}
        if self.query:
            extra["parameters"] = [
                {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}
                for name, description in self.query.items()
            ]
        if self.scope is not None:
            extra["security"] = [{"key": [self.scope]}]
        return extra


_REQUESTS = tuple(kind.request for kind in kinds().values())
ROUTES = (
    Route(
        "POST",
        "/v1/decisions",
        "decide",
        f"Decide one opportunity, or a batch of up to {schemas.BATCH}.",
        (Decision, schemas.Decisions),
        (*_REQUESTS, schemas.opportunities(Union[_REQUESTS])),  # type: ignore # noqa: UP007 - of as many as there are kinds
        "decide",
    ),
    *(
        Route(
            "POST",
            path,
            name,
            summary,
            (schemas.OutcomeCounts,),
            (schemas.Outcome, schemas.Outcomes, schemas.Events),
            "feedback",
            deprecated=deprecated,
        )
        for path, name, summary, deprecated in (
            ("/v1/outcomes", "tell_outcomes", "Report outcomes of decisions and of requests to models.", False),
            ("/v1/feedback", "tell", "Earlier name of /v1/outcomes.", True),
        )
    ),
    Route(
        "POST",
        "/v1/campaigns",
        "set_campaign",
        "Set a campaign's daily budget, total limit, targets and budget shares. Omitted fields stay unchanged.",
        (schemas.Campaign,),
        (schemas.Campaign,),
        "admin",
    ),
    Route(
        "POST",
        "/v1/accounts",
        "set_account",
        "Set an account's daily and total limit. Omitted fields stay unchanged.",
        (schemas.Account,),
        (schemas.Account,),
        "admin",
    ),
    Route(
        "GET",
        "/v1/budgets",
        "budgets",
        "Limits, spend, held money, stops and overrides of one account or of all.",
        (schemas.Budgets,),
        scope="admin",
        query={"account_id": "Account; default: all accounts."},
    ),
    Route(
        "POST",
        "/v1/kill",
        "kill",
        "Stop a campaign, an account or everything (without either) at once; `why: null` resumes.",
        (schemas.Killed,),
        (schemas.Stop,),
        "admin",
    ),
    Route(
        "POST",
        "/v1/override",
        "override",
        "Override a campaign's bid, or leave it to the baseline (no bid); `stands: no` ends the override.",
        (schemas.Overridden,),
        (schemas.ManualOverride,),
        "admin",
    ),
    Route("GET", "/metrics", "metrics", "Prometheus metrics.", (str,), scope="metrics", media="text/plain"),
    Route("GET", "/health/live", "live", "Liveness.", (schemas.Live,), unready=True),
    Route(
        "GET",
        "/health/ready",
        "ready",
        "Readiness, with the serving model versions.",
        (schemas.Ready,),
        unready=True,
    ),
)


def _adapters() -> list[tuple[Any, Any, TypeAdapter[Any]]]:
    """Adapters of all types of the routes, for validation or serialization."""
    used = {(kind, "serialization") for route in ROUTES for kind in route.answer}
    used |= {(kind, "validation") for route in ROUTES for kind in route.request}
    used.add((schemas.Refusal, "serialization"))
    return [(kind, mode, TypeAdapter(kind)) for kind, mode in sorted(used, key=str)]


@cache
def _schemas() -> tuple[Mapping[tuple[Any, Any], Schema], Schema]:
    """Schemas by type and mode, and what they share."""
    return TypeAdapter.json_schemas(_adapters(), ref_template="#/components/schemas/{model}")


def _any(kinds: tuple[Any, ...], mode: str) -> Schema:
    by_type, _ = _schemas()
    found = [by_type[(kind, mode)] for kind in kinds]
    return found[0] if len(found) == 1 else {"anyOf": found}


def completed(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """FastAPI's document with all of `ROUTES`, and the security scheme. Made when asked for, which few do, because it
    takes a tenth of a server's start."""
    make, told = app.openapi, {route.name: route for route in ROUTES}

    def document() -> dict[str, Any]:
        for route in app.routes:
            if isinstance(route, APIRoute):
                route.responses, route.openapi_extra = told[route.name].responses(), told[route.name].extra()
        found = make()
        components = found.setdefault("components", {})
        components.setdefault("schemas", {}).update(_schemas()[1]["$defs"])
        scheme = {"type": "http", "scheme": "bearer", "description": "Key made by `adloop key`."}
        components.setdefault("securitySchemes", {})["key"] = scheme
        return found

    return document
