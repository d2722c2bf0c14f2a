"""The routes as OpenAPI tells them: schemas from the types that read requests and that answers are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Union, cast

from pydantic import TypeAdapter

from serving.access.scopes import Scope
from serving.decisions.api import schemas
from serving.decisions.kinds import kinds
from serving.decisions.records import Decision

Schema = dict[str, Any]

_REFUSED = {
    400: "The body is not JSON.",
    401: "No key, or none that is known.",
    403: "The key lacks the scope, or is not for the account or family.",
    413: "The body is too large.",
    422: "A field is missing, unknown or wrong: the answer names it.",
    429: "The key's rate is used up; `retry-after` says for how long.",
    503: "It cannot be done now; `retry-after` says when to ask again.",
}


@dataclass(frozen=True)
class Route:
    """A route as it is told.

    Attributes:
        name: of the operation, which client generators call their method by.
        asked, answer: types of what may come and what may be answered, any of them.
        scope: what its key needs; None: no key is asked for.
        query: what may be asked in the address, and what it means.
        unready: it is answered with 503 too.
        deprecated: another path does the same.
    """

    method: str
    path: str
    name: str
    summary: str
    answer: tuple[Any, ...]
    asked: tuple[Any, ...] = ()
    scope: Scope | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    unready: bool = False
    deprecated: bool = False

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """What may be answered."""
        answered = {self.media: {"schema": _any(self.answer, "serialization")}}
        found: dict[int | str, dict[str, Any]] = {200: {"description": "Answered.", "content": answered}}
        refused = {"application/json": {"schema": _any((schemas.Refusal,), "serialization")}}
        told = _REFUSED if self.scope is not None else {}
        found |= {status: {"description": text, "content": refused} for status, text in told.items()}
        if self.unready:
            found[503] = {"description": HTTPStatus(503).phrase, "content": answered}
        return found

    def extra(self) -> dict[str, Any]:
        """What FastAPI does not see of a handler that reads its request itself."""
        extra: dict[str, Any] = {}
        if self.asked:
            content = {"application/json": {"schema": _any(self.asked, "validation")}}
            extra["requestBody"] = {"required": True, "content": content}
        if self.query:
            extra["parameters"] = [
                {"name": name, "in": "query", "description": told, "schema": {"type": "string"}}
                for name, told in self.query.items()
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
        f"Decide one opportunity, or up to {schemas.BATCH} of them in one go.",
        (Decision, schemas.Decisions),
        (*_REQUESTS, schemas.opportunities(Union[_REQUESTS])),  # noqa: UP007 - of as many as there are kinds
        "decide",
    ),
    *(
        Route(
            "POST",
            path,
            name,
            summary,
            (schemas.Told,),
            (schemas.Outcome, schemas.Outcomes, schemas.Events),
            "feedback",
            deprecated=deprecated,
        )
        for path, name, summary, deprecated in (
            ("/v1/outcomes", "tell_outcomes", "Report outcomes of decisions and of requests to models.", False),
            ("/v1/feedback", "tell", "The earlier name of /v1/outcomes.", True),
        )
    ),
    Route(
        "POST",
        "/v1/campaigns",
        "set_campaign",
        "Set a campaign's daily budget, its limit in all, targets and how it is divided. What is left out stays.",
        (schemas.Campaign,),
        (schemas.Campaign,),
        "admin",
    ),
    Route(
        "POST",
        "/v1/accounts",
        "set_account",
        "Set what all campaigns of an account may spend together, a day and in all. What is left out stays.",
        (schemas.Account,),
        (schemas.Account,),
        "admin",
    ),
    Route(
        "GET",
        "/v1/budgets",
        "budgets",
        "Limits, what is spent and held, stops and overrides: of one account, or of all.",
        (schemas.Budgets,),
        scope="admin",
        query={"account_id": "Of this account only."},
    ),
    Route(
        "POST",
        "/v1/kill",
        "kill",
        "Stop a campaign, an account or (naming neither) everything, at once; without a reason it runs again.",
        (schemas.Killed,),
        (schemas.Stop,),
        "admin",
    ),
    Route(
        "POST",
        "/v1/override",
        "override",
        "Bid exactly this for a campaign, or (no bid) leave it to the baseline; `stands: no` takes it back.",
        (schemas.Overridden,),
        (schemas.Word,),
        "admin",
    ),
    Route("GET", "/metrics", "metrics", "Figures for Prometheus.", (str,), scope="metrics", media="text/plain"),
    Route("GET", "/health/live", "live", "Whether it works at all.", (schemas.Live,), unready=True),
    Route(
        "GET",
        "/health/ready",
        "ready",
        "Whether it may be sent requests, and by which models it answers.",
        (schemas.Ready,),
        unready=True,
    ),
)


def _adapters() -> list[tuple[Any, Any, TypeAdapter[Any]]]:
    """Every type that a route names, by the way it is used."""
    used = {(kind, "serialization") for route in ROUTES for kind in route.answer}
    used |= {(kind, "validation") for route in ROUTES for kind in route.asked}
    used.add((schemas.Refusal, "serialization"))
    return [(kind, mode, TypeAdapter(kind)) for kind, mode in sorted(used, key=str)]


_BY_TYPE, _SHARED = TypeAdapter.json_schemas(_adapters(), ref_template="#/components/schemas/{model}")


def _any(kinds: tuple[Any, ...], mode: str) -> Schema:
    found = [_BY_TYPE[(kind, cast(Any, mode))] for kind in kinds]
    return found[0] if len(found) == 1 else {"anyOf": found}


def completed(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """FastAPI's document with the schemas that the routes refer to, and the kind of key that they ask for."""

    def document() -> dict[str, Any]:
        found = make()
        components = found.setdefault("components", {})
        components.setdefault("schemas", {}).update(_SHARED["$defs"])
        scheme = {"type": "http", "scheme": "bearer", "description": "A key made by `adloop key`."}
        components.setdefault("securitySchemes", {})["key"] = scheme
        return found

    return document
