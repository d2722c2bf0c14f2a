"""What the endpoint is asked, and how it is read: opportunities, events, budgets, a stop, a person's word."""

from collections.abc import Mapping
from typing import Any, get_args

import orjson

from serving.decisions.endpoint.fields import (
    Form,
    Invalid,
    Schema,
    maybe,
    names,
    number,
    one_of,
    scalars,
    shares,
    text,
    whole,
)
from serving.decisions.feedback import Kind, Observed
from serving.decisions.records import Opportunity
from serving.decisions.segments import DIMENSIONS
from serving.decisions.state.store import MOST, Terms

#: Opportunities or events of one request.
BATCH = 1000
#: The end of the year 9999 in Unix seconds.
_LATEST = 253402300799.0

_NAME, _AMOUNT, _AT = text(256), number(0, MOST), number(0, _LATEST)
_PLACE = {"account_id": _NAME, "campaign_id": _NAME}

OPPORTUNITY = Form(
    {
        "opportunity_id": _NAME,
        "occurred_at": _AT,
        **_PLACE,
        "asked": one_of("bid", "campaign", "customer"),
        "keyword": maybe(_NAME),
        "channel": maybe(_NAME),
        "audience": maybe(_NAME),
        "creative_id": maybe(_NAME),
        "hour": maybe(whole(0, 23)),
        "customer_id": maybe(_NAME),
        "floor_price": maybe(_AMOUNT),
        "current_bid": maybe(_AMOUNT),
        "features": scalars(512, 1024),
    },
    ("opportunity_id", "occurred_at", "account_id", "campaign_id"),
    {
        "opportunity_id": "auction-7f3a",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "spring",
        "asked": "bid",
        "channel": "search",
        "customer_id": "c00042",
        "current_bid": 1.2,
        "features": {"device": "mobile", "position": 2},
    },
)

EVENT = Form(
    {
        "event_id": _NAME,
        "account_id": _NAME,
        "decision_id": _NAME,
        "kind": one_of(*get_args(Kind)),
        "occurred_at": _AT,
        "cost": maybe(_AMOUNT),
        "value": number(-MOST, MOST),
    },
    ("event_id", "account_id", "decision_id", "kind", "occurred_at"),
    {
        "event_id": "click-19c2",
        "account_id": "acme",
        "decision_id": "8d1f0c5e9a7b46d2a3c4e5f60718293a",
        "kind": "click",
        "occurred_at": 1767225660.0,
        "cost": 0.84,
    },
)

STOP = Form(
    {"why": maybe(text(500)), "account_id": maybe(_NAME), "campaign_id": maybe(_NAME)},
    ("why",),
    {"why": "spend looks wrong", "account_id": "acme", "campaign_id": "spring"},
)

WORD = Form(
    {**_PLACE, "stands": one_of("yes", "no"), "bid": maybe(_AMOUNT), "why": text(500)},
    ("account_id", "campaign_id", "stands", "why"),
    {"account_id": "acme", "campaign_id": "spring", "stands": "yes", "bid": 0.8, "why": "launch week"},
)


TERMS = Form(
    {
        **_PLACE,
        "daily_limit": _AMOUNT,
        "limit": maybe(_AMOUNT),
        "target_cpc": maybe(_AMOUNT),
        "min_conversion_rate": maybe(number(0, 1)),
        "shares": shares(DIMENSIONS, BATCH, 256),
        "candidates": names(BATCH, 256),
    },
    ("account_id", "campaign_id", "daily_limit"),
    {
        "account_id": "acme",
        "campaign_id": "spring",
        "daily_limit": 50.0,
        "limit": 1000.0,
        "target_cpc": 0.8,
        "shares": {"channel": {"search": 0.7, "social": 0.3}},
        "candidates": ["running shoes"],
    },
)

LIMITS = Form(
    {"account_id": _NAME, "daily_limit": maybe(_AMOUNT), "limit": maybe(_AMOUNT)},
    ("account_id", "daily_limit", "limit"),
    {"account_id": "acme", "daily_limit": 500.0, "limit": None},
)


class NotJson(ValueError):
    """A body that is no JSON."""


def parsed(body: bytes) -> Any:
    """The body's JSON. Raises `NotJson`, also for JSON nested deeper than anything that is asked here."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise NotJson(f"the body is not JSON: {broken}") from broken


def opportunities(given: Any) -> tuple[list[Opportunity], bool]:
    """The opportunities of a request, and whether it was a batch. Raises `Invalid`."""
    found, batch = _items(given, "opportunities", OPPORTUNITY)
    for place, values in enumerate(found):
        if values.get("asked") == "customer" and not values.get("customer_id"):
            where = f"opportunities[{place}]." if batch else ""
            raise Invalid(f"{where}customer_id", "a customer, where one is asked about", None)
    return [Opportunity(**values) for values in found], batch


def events(given: Any) -> list[Observed]:
    """The events of a request: one, or a list named `events`. Raises `Invalid`."""
    found, batch = _items(given, "events", EVENT)
    return [_event(values, f"events[{place}]." if batch else "") for place, values in enumerate(found)]


def _event(values: dict[str, Any], where: str) -> Observed:
    """What is told together must go together."""
    kind, cost, value = values["kind"], values.get("cost"), values.get("value", 0.0)
    if kind == "loss" and cost:
        raise Invalid(f"{where}cost", "none with a loss: what is paid for was won", cost)
    if kind == "correction" and cost is None:
        raise Invalid(f"{where}cost", "with a correction, what the decision costs after all", cost)
    if kind != "conversion" and value:
        raise Invalid(f"{where}value", f"none with a {kind}: only conversions have one", value)
    return Observed(**values)


def terms(said: Mapping[str, Any]) -> Terms:
    """The terms among the values of `TERMS`."""
    return Terms(**{name: value for name, value in said.items() if name not in _PLACE})


def one_or_many(form: Form, name: str) -> Schema:
    """The schema of a request that `opportunities` or `events` reads."""
    many = {
        "type": "object",
        "additionalProperties": False,
        "required": [name],
        "properties": {name: {"type": "array", "minItems": 1, "maxItems": BATCH, "items": form.schema}},
        "example": {name: [form.schema["example"]]},
    }
    return {"anyOf": [form.schema, many]}


def _items(given: Any, name: str, form: Form) -> tuple[list[dict[str, Any]], bool]:
    if not isinstance(given, dict) or name not in given:
        return [form.read(given)], False
    many = given[name]
    if len(given) > 1:
        raise Invalid(next(one for one in given if one != name)[:200], f"nothing beside '{name}'", None)
    if not isinstance(many, list) or not 0 < len(many) <= BATCH:
        raise Invalid(name, f"a list of 1 to {BATCH}", many)
    return [form.read(one, f"{name}[{place}].") for place, one in enumerate(many)], True
