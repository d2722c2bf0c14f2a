"""Types of requests and answers, for parsing and for the OpenAPI document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import NotRequired, TypedDict  # noqa: UP035 - pydantic reads those of Python 3.12 on

from models.catalog import NAMES
from serving.decisions.fields import (
    CLOSED,
    PLAIN,
    Amount,
    ConversionValue,
    Key,
    LabelValue,
    Moment,
    Name,
    Nothing,
    Rate,
    Why,
    whole,
)
from serving.decisions.kinds import kinds
from serving.decisions.records import Decision, Override
from serving.decisions.state.store import Budget

#: Most opportunities or outcomes of one request.
BATCH = 1000


def _known(family: str) -> str:
    if family not in NAMES:
        raise PydanticCustomError("family", "one of {names}", {"names": ", ".join(map(repr, NAMES))})
    return family


Family = Annotated[str, Field(strict=True, json_schema_extra={"enum": list(NAMES)}), AfterValidator(_known)]
Dimension = Literal["channel", "hour", "audience", "creative"]
_Named = Field(max_length=BATCH, json_schema_extra=CLOSED)
#: Why a creative is not shown; empty: it is shown again.
Reason = Annotated[str, StringConstraints(max_length=500, pattern=PLAIN, strict=True)]
Shares = dict[Dimension, Annotated[dict[Key, Rate], _Named]]


def _request(example: Mapping[str, Any], **more: Any) -> ConfigDict:
    """Strict: refuses unknown fields and other types."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": dict(example), **more})


def _needs(condition: Mapping[str, Any], field: str) -> dict[str, Any]:
    """JSON Schema: where `condition` matches, `field` must be text."""
    named = {"properties": {field: {"type": "string"}}, "required": [field]}
    return {"allOf": [{"if": {"properties": dict(condition), "required": list(condition)}, "then": named}]}


_EVENT = {
    "event_id": "click-19c2",
    "account_id": "acme",
    "decision_id": "8d1f0c5e9a7b46d2a3c4e5f60718293a",
    "occurred_at": 1767225660.0,
}
#: One example per kind.
OUTCOMES: dict[str, dict[str, Any]] = {
    "impression": {**_EVENT, "kind": "impression", "cost": 0.002},
    "click": {**_EVENT, "kind": "click", "cost": 0.84},
    "conversion": {**_EVENT, "kind": "conversion", "value": 25.0},
    "loss": {**_EVENT, "kind": "loss"},
    "correction": {**_EVENT, "kind": "correction", "cost": 0.8},
    "label": {"family": NAMES[0], "request_id": "4f0c9a52", "row": 0, "labels": {"churned": True}},
}
CAMPAIGN = {
    "account_id": "acme",
    "campaign_id": "spring",
    "daily_limit": 50.0,
    "limit": 1000.0,
    "target_cpc": 0.8,
    "shares": {"channel": {"search": 0.7, "social": 0.3}},
    "candidates": ["running shoes"],
    "resting": {"shoes-2": "its click rate fell by a third in two weeks"},
}
ACCOUNT = {"account_id": "acme", "daily_limit": 500.0, "limit": None}
STOP = {"why": "spend looks wrong", "account_id": "acme", "campaign_id": "spring"}
OVERRIDE = {"account_id": "acme", "campaign_id": "spring", "stands": "yes", "bid": 0.8, "why": "launch week"}


def opportunities(item: Any) -> Any:
    """The type of a batch of opportunities.

    Args:
        item: the type of an opportunity.
    """
    several = Annotated[list[item], Field(min_length=1, max_length=BATCH)]

    @with_config(_request({"opportunities": [next(iter(kinds().values())).example]}))
    class Opportunities(TypedDict):
        """A batch of opportunities of any kinds."""

        opportunities: several

    return Opportunities


class _Event(TypedDict):
    event_id: Name
    account_id: Name
    decision_id: Name
    occurred_at: Moment


class _Paid(_Event):
    cost: NotRequired[Amount | None]


@with_config(_request(OUTCOMES["impression"]))
class Impression(_Paid):
    """An impression; a decision has at most one.

    A decision is charged once, by the first `cost` that any of its events reports. Only a `correction` replaces it.
    """

    kind: Literal["impression"]
    value: NotRequired[Nothing]


@with_config(_request(OUTCOMES["click"]))
class Click(_Paid):
    """A click."""

    kind: Literal["click"]
    value: NotRequired[Nothing]


@with_config(_request(OUTCOMES["conversion"]))
class Conversion(_Paid):
    """A conversion. One with a negative `value` is a refund, which is deducted from the decision's conversions."""

    kind: Literal["conversion"]
    value: NotRequired[ConversionValue]


@with_config(_request(OUTCOMES["loss"]))
class Loss(_Event):
    """A lost auction or a declined offer: releases the held money."""

    kind: Literal["loss"]
    cost: NotRequired[Nothing | None]
    value: NotRequired[Nothing]


@with_config(_request(OUTCOMES["correction"]))
class Correction(_Event):
    """The final cost of a decision: replaces the charged cost. Of several, the one that occurred last counts."""

    kind: Literal["correction"]
    cost: Amount
    value: NotRequired[Nothing]


@with_config(_request(OUTCOMES["label"]))
class Label(TypedDict):
    """Labels of one row of a request to a model, or of a decision (its id as `request_id`). The first report counts."""

    kind: NotRequired[Literal["label"]]
    family: Family
    request_id: Name
    row: NotRequired[Annotated[int, Field(ge=0, le=2**31 - 1, strict=True), BeforeValidator(whole)]]
    labels: Annotated[dict[Key, LabelValue], Field(min_length=1, max_length=64, json_schema_extra=CLOSED)]


def _kind(given: Any) -> str | None:
    """The kind of an outcome; optional for labels."""
    kind = given.get("kind", "label" if "labels" in given else None) if isinstance(given, dict) else "label"
    return None if kind is None else str(kind)


#: The types of outcomes, by kind.
KINDS: dict[str, Any] = dict(zip(OUTCOMES, (Impression, Click, Conversion, Loss, Correction, Label), strict=True))
Outcome = Annotated[
    Annotated[Impression, Tag("impression")]
    | Annotated[Click, Tag("click")]
    | Annotated[Conversion, Tag("conversion")]
    | Annotated[Loss, Tag("loss")]
    | Annotated[Correction, Tag("correction")]
    | Annotated[Label, Tag("label")],
    Discriminator(_kind),
]
_Several = Annotated[list[Outcome], Field(min_length=1, max_length=BATCH)]


@with_config(_request({"outcomes": list(OUTCOMES.values())}))
class Outcomes(TypedDict):
    """A batch of outcomes, of any kinds."""

    outcomes: _Several


@with_config(_request({"events": [OUTCOMES["click"]]}))
class Events(TypedDict):
    """A batch of outcomes under its earlier name."""

    events: _Several


@with_config(_request(CAMPAIGN))
class Campaign(TypedDict):
    """Limits and targets of a campaign. Omitted fields stay unchanged; null removes a limit."""

    account_id: Name
    campaign_id: Name
    daily_limit: NotRequired[Amount]
    limit: NotRequired[Amount | None]
    target_cpc: NotRequired[Amount | None]
    min_conversion_rate: NotRequired[Rate | None]
    shares: NotRequired[Shares]
    candidates: NotRequired[Annotated[list[Name], Field(max_length=BATCH)]]
    resting: NotRequired[Annotated[dict[Key, Reason], _Named]]


@with_config(_request(ACCOUNT))
class Account(TypedDict):
    """Limits of an account, over all its campaigns. Omitted fields stay unchanged; null removes a limit."""

    account_id: Name
    daily_limit: NotRequired[Amount | None]
    limit: NotRequired[Amount | None]


@with_config(_request(STOP, **_needs({"campaign_id": {"type": "string"}}, "account_id")))
class Stop(TypedDict):
    """The scope of a stop and its reason; `why: null` resumes. A campaign needs its account."""

    why: Why | None
    account_id: NotRequired[Name | None]
    campaign_id: NotRequired[Name | None]


@with_config(_request(OVERRIDE))
class ManualOverride(TypedDict):
    """A manual override of a campaign."""

    account_id: Name
    campaign_id: Name
    stands: Literal["yes", "no"]
    bid: NotRequired[Amount | None]
    why: Why


class Decisions(TypedDict):
    """A batch of decisions, in the order of the opportunities."""

    decisions: list[Decision]


class OutcomeCounts(TypedDict):
    """Number of outcomes by status.

    `recorded`: labels. Events are `joined` to a decision, reported `again`, `waits` for their decision, `ahead` of the
    clock and not accepted, or `flagged`: joined with a cost to check, as it is above the amount held, came after the
    hold, or differs from the cost charged.
    """

    joined: int
    again: int
    waits: int
    ahead: int
    flagged: int
    recorded: int


class Budgets(TypedDict):
    """Limits, spend, held money, stops and overrides; `killed`: why everything is stopped."""

    killed: str | None
    budgets: list[Budget]


class Killed(TypedDict):
    """Why it is stopped; null while it runs."""

    killed: str | None


class Overridden(TypedDict):
    """The current override; null without one."""

    override: Override | None


class Live(TypedDict):
    """Whether the endpoint works."""

    alive: bool


class Counting(TypedDict):
    """`counting`, or why events are not counted; and how many were set aside because the state cannot count them (null:
    unknown while feedback is unavailable)."""

    state: str
    set_aside: int | None


class Ready(TypedDict):
    """Whether the endpoint accepts requests, and the serving version of each family.

    By part: why it fails (`reasons`), and damaged data that is skipped (`left_out`).
    """

    ready: bool
    models: dict[str, str]
    feedback: Counting
    reasons: dict[str, str]
    left_out: dict[str, str]
    kafka: NotRequired[Literal["reading", "away"]]


class Fault(TypedDict):
    """The error; for an invalid field also its name, the expected and the received value."""

    message: str
    field: NotRequired[str]
    expected: NotRequired[str]
    got: NotRequired[str]


class Refusal(TypedDict):
    """The answer to a refused request."""

    error: Fault
