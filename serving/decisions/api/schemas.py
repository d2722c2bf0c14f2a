"""What the endpoint is asked and what it answers: the types that read requests and that the OpenAPI document shows."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import NotRequired, TypedDict  # noqa: UP035 - pydantic reads those of Python 3.12 on

from models.catalog import NAMES
from serving.decisions.feedback import Kind
from serving.decisions.fields import Amount, ConversionValue, Label, Moment, Name, Rate, Why, whole
from serving.decisions.kinds import kinds
from serving.decisions.records import Decision, Override
from serving.decisions.state.store import Budget

#: Opportunities or events of one request.
BATCH = 1000


def _known(family: str) -> str:
    if family not in NAMES:
        raise PydanticCustomError("family", "one of {names}", {"names": ", ".join(map(repr, NAMES))})
    return family


Family = Annotated[str, Field(strict=True, json_schema_extra={"enum": list(NAMES)}), AfterValidator(_known)]
Dimension = Literal["channel", "hour", "audience", "creative"]
#: As a key of an object a name's length is part of its pattern: that is all JSON Schema is told of keys.
_Key = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,256}$")]
_CLOSED: dict[str, Any] = {"additionalProperties": False}
_Named = Field(max_length=BATCH, json_schema_extra=_CLOSED)
Shares = dict[Dimension, Annotated[dict[_Key, Rate], _Named]]


def _request(example: Mapping[str, Any], **more: Any) -> ConfigDict:
    """Strict: a field that is not known, or of another type, is refused."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": dict(example), **more})


def _needs(asked: Mapping[str, Any], field: str) -> dict[str, Any]:
    """JSON Schema for: where `asked` holds, `field` must be a text."""
    named = {"properties": {field: {"type": "string"}}, "required": [field]}
    return {"allOf": [{"if": {"properties": dict(asked), "required": list(asked)}, "then": named}]}


def _where(kind: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"kind": kind}, "required": ["kind"]}, "then": then}


#: JSON Schema for what goes together: no cost with a loss, one with a correction, a value with a conversion alone.
_TOGETHER = {
    "allOf": [
        _where({"const": "loss"}, {"properties": {"cost": {"enum": [0, None]}}}),
        _where({"const": "correction"}, {"properties": {"cost": {"type": "number"}}, "required": ["cost"]}),
        _where({"not": {"const": "conversion"}}, {"properties": {"value": {"const": 0}}}),
    ]
}
EVENT = {
    "event_id": "click-19c2",
    "account_id": "acme",
    "decision_id": "8d1f0c5e9a7b46d2a3c4e5f60718293a",
    "kind": "click",
    "occurred_at": 1767225660.0,
    "cost": 0.84,
}
OUTCOME = {"family": NAMES[0], "request_id": "4f0c9a52", "row": 0, "labels": {"churned": True}}
CAMPAIGN = {
    "account_id": "acme",
    "campaign_id": "spring",
    "daily_limit": 50.0,
    "limit": 1000.0,
    "target_cpc": 0.8,
    "shares": {"channel": {"search": 0.7, "social": 0.3}},
    "candidates": ["running shoes"],
}
ACCOUNT = {"account_id": "acme", "daily_limit": 500.0, "limit": None}
STOP = {"why": "spend looks wrong", "account_id": "acme", "campaign_id": "spring"}
OVERRIDE = {"account_id": "acme", "campaign_id": "spring", "stands": "yes", "bid": 0.8, "why": "launch week"}


def opportunities(item: Any) -> Any:
    """The type of a batch of things to decide.

    Args:
        item: the type of each of them.
    """
    several = Annotated[list[item], Field(min_length=1, max_length=BATCH)]

    @with_config(_request({"opportunities": [next(iter(kinds().values())).example]}))
    class Opportunities(TypedDict):
        """A batch of things to decide, of any kinds."""

        opportunities: several

    return Opportunities


@with_config(_request(EVENT, **_TOGETHER))
class Event(TypedDict):
    """Something that came of a decision.

    A decision is charged once: the first `cost` that is told of it, whatever event tells it, be it a notice of winning
    or of billing or a click. Another cost is not added; a `correction` replaces it, the one that occurred last. A
    `loss`, of an auction or of an offer that was declined, frees what was set aside. A decision has one impression. A
    conversion with a negative `value` is a refund, and nets with the conversions of its decision.
    """

    event_id: Name
    account_id: Name
    decision_id: Name
    kind: Kind
    occurred_at: Moment
    cost: NotRequired[Amount | None]
    value: NotRequired[ConversionValue]


@with_config(_request({"events": [EVENT]}))
class Events(TypedDict):
    """A batch of events."""

    events: Annotated[list[Event], Field(min_length=1, max_length=BATCH)]


@with_config(_request(OUTCOME))
class Outcome(TypedDict):
    """What came of one row of a request to a model: the labels that its family predicts. The first one told counts."""

    family: Family
    request_id: Name
    row: NotRequired[Annotated[int, Field(ge=0, le=2**31 - 1, strict=True), BeforeValidator(whole)]]
    labels: Annotated[dict[_Key, Label], Field(min_length=1, max_length=64, json_schema_extra=_CLOSED)]


@with_config(_request({"outcomes": [OUTCOME]}))
class Outcomes(TypedDict):
    """A batch of outcomes."""

    outcomes: Annotated[list[Outcome], Field(min_length=1, max_length=BATCH)]


@with_config(_request(CAMPAIGN))
class Campaign(TypedDict):
    """What a campaign may spend and aims at. A field that is left out stays as it is; null takes a limit away."""

    account_id: Name
    campaign_id: Name
    daily_limit: NotRequired[Amount]
    limit: NotRequired[Amount | None]
    target_cpc: NotRequired[Amount | None]
    min_conversion_rate: NotRequired[Rate | None]
    shares: NotRequired[Shares]
    candidates: NotRequired[Annotated[list[Name], Field(max_length=BATCH)]]


@with_config(_request(ACCOUNT))
class Account(TypedDict):
    """What all campaigns of an account may spend. A field that is left out stays as it is; null takes a limit away."""

    account_id: Name
    daily_limit: NotRequired[Amount | None]
    limit: NotRequired[Amount | None]


@with_config(_request(STOP, **_needs({"campaign_id": {"type": "string"}}, "account_id")))
class Stop(TypedDict):
    """What to stop, and why; without a reason it runs again. A campaign is named with its account."""

    why: Why | None
    account_id: NotRequired[Name | None]
    campaign_id: NotRequired[Name | None]


@with_config(_request(OVERRIDE))
class Word(TypedDict):
    """A person's word on a campaign."""

    account_id: Name
    campaign_id: Name
    stands: Literal["yes", "no"]
    bid: NotRequired[Amount | None]
    why: Why


class Decisions(TypedDict):
    """A batch of decisions, in the order of the opportunities."""

    decisions: list[Decision]


class Told(TypedDict):
    """How many of the events were joined to a decision, were told before, wait for their decision, or are dated later
    than the clock allows and were not accepted; and how many were joined with a cost that a person should look at:
    above what was set aside, after nothing was set aside any more, or unlike the one that was charged."""

    joined: int
    again: int
    waits: int
    ahead: int
    flagged: int


class Recorded(TypedDict):
    """How many outcomes are on record now."""

    recorded: int


class Budgets(TypedDict):
    """What may be spent, what is spent and held, and what people stopped; `killed`: why everything is stopped."""

    killed: str | None
    budgets: list[Budget]


class Killed(TypedDict):
    """Why it is stopped; null: it runs."""

    killed: str | None


class Overridden(TypedDict):
    """The word that stands; null: none."""

    override: Override | None


class Live(TypedDict):
    """Whether it works at all."""

    alive: bool


class Counting(TypedDict):
    """`counting`, or why events are not counted now; and how many were set aside, as the state could not take them."""

    state: str
    set_aside: int


class Ready(TypedDict):
    """Whether it may be sent requests, and the version that answers for each family."""

    ready: bool
    models: dict[str, str]
    feedback: Counting
    kafka: NotRequired[Literal["reading", "away"]]


class Fault(TypedDict):
    """What is wrong; of a field that is refused also its name, what was expected, and what came."""

    message: str
    field: NotRequired[str]
    expected: NotRequired[str]
    got: NotRequired[str]


class Refusal(TypedDict):
    """A request that is not answered."""

    error: Fault
