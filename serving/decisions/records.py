"""The inputs and outputs of a decision, which round-trip through JSON.

Money is in the account's currency; times are Unix seconds by the caller's clock. A number that is not finite becomes
null in JSON. From callers and models it counts as missing; from a store it is refused, because an undefined limit must
not mean no limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from serving.decisions.fields import Features, Hour, Moment, Name

Arm = Literal["policy", "baseline", "fallback", "override", "killed"]
#: The field with the id whose actions wait for each other.
PacedBy = Literal["campaign_id", "customer_id"]
Value = float | int | str | bool | list[float] | None
#: Parts of the currency unit in which money is counted.
MICRO = 1_000_000
#: Unit of amounts of money.
UNIT = "currency"


def counted(*amounts: float) -> None:
    """Raises `ValueError` unless all amounts are finite and not negative."""
    if not isfinite(sum(amounts)) or min(amounts) < 0:
        raise ValueError(f"expected finite amounts of at least 0, got {amounts}")


class Action(StrEnum):
    """Actions of decisions."""

    HOLD = "hold"
    BID = "bid"
    RAISE_BID = "raise_bid"
    LOWER_BID = "lower_bid"
    PAUSE_KEYWORD = "pause_keyword"
    ADD_KEYWORD = "add_keyword"
    MOVE_BUDGET = "move_budget"
    ROTATE_CREATIVE = "rotate_creative"
    SHOW_CREATIVE = "show_creative"
    RETENTION_OFFER = "retention_offer"


def _named(schema: dict[str, Any]) -> None:
    """A request without its kind asks for a bid, so every other kind must be named."""
    if schema["properties"]["asked"].get("const") != "bid":
        schema["required"] = [*schema["required"], "asked"]


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One opportunity to decide. Each kind of decision has a subclass with its own fields.

    Attributes:
        opportunity_id: idempotency key: repeated requests get the same answer and reserve nothing twice.
        occurred_at: by the caller's clock.
        asked: the kind of decision.
        keyword, channel, audience, creative_id, hour: its segments within the campaign.
        customer_id: the customer who would see the ad or get the offer.
        features: further model inputs by name.
        counted: whether the state includes the counters of the campaign and its segments, which takes time.
        paced_by: field with the id whose cooldown applies.
        compares: whether the state includes what came of each arm by time, and what the customer was shown today.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", json_schema_extra=_named)
    counted: ClassVar[bool] = False
    paced_by: ClassVar[PacedBy] = "campaign_id"
    compares: ClassVar[bool] = False

    opportunity_id: Name
    occurred_at: Moment
    account_id: Name
    campaign_id: Name
    asked: str = "bid"
    keyword: Name | None = None
    channel: Name | None = None
    audience: Name | None = None
    creative_id: Name | None = None
    hour: Hour | None = None
    customer_id: Name | None = None
    features: Features = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Predictions:
    """The models' answers to an opportunity.

    Attributes:
        answers: by the kind's names; a missing one was not needed or failed, see `faults`.
        features: as the models read them, including those looked up online, without missing ones.
        versions: version of each family that answered.
        faults: failures, such as a model's exception or an unavailable store.
        took_ms: milliseconds to predict the whole batch.
        candidates: answers by candidate, for decisions that choose among several.
        inputs: features by candidate, until one is chosen; the log has those of the chosen one, in `features`.
    """

    answers: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, Value] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    took_ms: float | None = None
    candidates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def chosen(self, candidate: str) -> "Predictions":
        """The record of a decision for this candidate: with its answers and features, without the others' features."""
        if not self.candidates:
            return self
        said, read = self.candidates.get(candidate, {}), self.inputs.get(candidate, {})
        return replace(self, answers=said, features=read, inputs={})


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts of bids and their outcomes."""

    bids: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    conversion_value: float = 0.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        # Refunds may make the value negative.
        counted(self.bids, self.impressions, self.clicks, self.conversions, self.cost, abs(self.conversion_value))


@dataclass(frozen=True, slots=True)
class WindowedCounters:
    """Counters of the recent period and of the time before."""

    recent: Counters = Counters()
    past: Counters = Counters()


@dataclass(frozen=True, slots=True)
class Segment:
    """A keyword, channel, hour, audience or creative of a campaign.

    Attributes:
        share: share of the campaign's daily budget, for dimensions with budget shares.
        paused: without traffic: stopped, or a candidate that has not started.
    """

    window: WindowedCounters = WindowedCounters()
    share: float | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Spend:
    """Money of a campaign or account. Reserved money belongs to bids and offers that are not settled yet.

    Attributes:
        today: billed for today's decisions; `total` for all.
        reserved: for today's decisions; `reserved_before` for those of earlier days.
        daily_limit: for a campaign its daily budget; None without one.
        limit: of total spend.
        returning: part of `reserved` that is expected back, from lost bids and from prices below the bid; and
            `returning_before` of `reserved_before`.
        excess: part of `total` that was billed without a reservation: late, or above the bid.
    """

    today: float = 0.0
    total: float = 0.0
    reserved: float = 0.0
    daily_limit: float | None = None
    limit: float | None = None
    reserved_before: float = 0.0
    returning: float = 0.0
    returning_before: float = 0.0
    excess: float = 0.0

    def __post_init__(self) -> None:
        counted(self.today, self.total, self.reserved, self.daily_limit or 0.0, self.limit or 0.0)
        counted(self.reserved_before, self.returning, self.returning_before, self.excess)

    @property
    def left(self) -> float | None:
        """Money that may still be reserved, at least 0; None without a limit."""
        return self._left(self.reserved, self.reserved + self.reserved_before)

    @property
    def remaining(self) -> float | None:
        """Money expected to remain after settlement, to pace by; None without a limit."""
        before = self.reserved_before - self.returning_before
        return self._left(self.reserved - self.returning, self.reserved - self.returning + before)

    @property
    def expected_today(self) -> float:
        """Spend of today expected after settlement."""
        return self.today + self.reserved - self.returning

    @property
    def tightest(self) -> str:
        """The limit that leaves less: the daily or the total one."""
        if self.daily_limit is None or self.limit is None:
            return "total" if self.daily_limit is None else "daily"
        today = self.daily_limit - self.today
        return "daily" if today <= self.limit - self.total - self.reserved_before else "total"

    def _left(self, today: float, ever: float) -> float | None:
        rooms = []
        if self.daily_limit is not None:
            rooms.append(self.daily_limit - self.today - today)
        if self.limit is not None:
            rooms.append(self.limit - self.total - ever)
        return max(0.0, min(rooms)) if rooms else None


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """Spend and outcomes of an arm. `value_squared` is the sum of the squared value of each conversion."""

    cost: float = 0.0
    conversions: int = 0
    value: float = 0.0
    value_squared: float = 0.0
    impressions: int = 0
    clicks: int = 0

    def __post_init__(self) -> None:
        counted(self.cost, self.conversions, abs(self.value), self.value_squared, self.impressions, self.clicks)


_NOTHING = ArmOutcome()


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes made to the campaign.

    Attributes:
        multiplier: factor of all its bids.
        last_at: time of the last change; None without one.
        bid_today: sum of today's changes of the multiplier, each |ln(after / before)|.
        moved_today: share of the daily budget moved today, over all dimensions.
    """

    multiplier: float = 1.0
    last_at: float | None = None
    bid_today: float = 0.0
    moved_today: float = 0.0

    def __post_init__(self) -> None:
        counted(self.multiplier, self.last_at or 0.0, self.bid_today, self.moved_today)


@dataclass(frozen=True, slots=True)
class Override:
    """A manual override of a campaign: bid exactly this, or (None) change nothing and let the baseline bid."""

    bid: float | None = None
    by: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        counted(self.bid or 0.0)


@dataclass(frozen=True, slots=True)
class State:
    """State of a campaign and its account at the time of the decision.

    Attributes:
        known: False where the store did not answer; all other fields are then defaults.
        seen_at: latest `occurred_at` of this campaign, to detect clocks that went back.
        store_at: the store's clock at the time of reading.
        account_window: counters of the whole account, including this campaign.
        segments: by dimension (`keyword`, `channel`, `hour`, `audience`, `creative`), then by name.
        min_conversion_rate: conversions per click below which a review acts; None: relative to the history.
        evidence: spend and outcomes by arm since this policy version.
        killed: why the campaign, account or everything is stopped, and by whom; None while it runs.
        arms: counters by arm, by the time of the decisions: the past ones can be expected to have all their outcomes.
        shown: how often the customer was shown each creative today.
        resting: creatives that are not shown, each with the reason.
    """

    known: bool = True
    seen_at: float | None = None
    store_at: float | None = None
    campaign: Spend = Spend()
    account: Spend = Spend()
    target_cpc: float | None = None
    min_conversion_rate: float | None = None
    window: WindowedCounters = WindowedCounters()
    account_window: WindowedCounters = WindowedCounters()
    segments: Mapping[str, Mapping[str, Segment]] = field(default_factory=dict)
    changes: Changes = Changes()
    evidence: Mapping[str, ArmOutcome] = field(default_factory=dict)
    override: Override | None = None
    killed: str | None = None
    arms: Mapping[str, WindowedCounters] = field(default_factory=dict)
    shown: Mapping[str, int] = field(default_factory=dict)
    resting: Mapping[str, str] = field(default_factory=dict)

    def outcome(self, arm: str) -> ArmOutcome:
        """Spend and outcomes of an arm."""
        return self.evidence.get(arm, _NOTHING)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A finding of a review, with its significance.

    Attributes:
        statistic: the measured ratio, rate or share; `threshold` is the value it crossed.
        chance: probability of the finding by chance; 0 for a certain one, None for one from a model.
        evidence: the counts behind it.
    """

    name: str
    statistic: float
    threshold: float
    chance: float | None
    evidence: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardrailEffect:
    """A change by a guardrail: the amount before (`found`) and after (`left`), and why."""

    guardrail: str
    found: float | None
    left: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why.

    Attributes:
        decision_id: determined by the opportunity and the seed.
        target: the campaign, keyword, channel, creative or customer.
        source: origin of the moved budget or traffic, in `dimension`.
        amount: after guardrails, in `unit`; None for actions without one.
        before: the value that `amount` replaces.
        reason: in words.
        triggers: findings that led to it.
        guardrails: those that changed it, in order.
        arm: who decided.
        propensity: probability that this arm was drawn and proposed this; guardrails are deterministic.
        explored: it deviates for exploration.
        credited: arm that its outcomes are evidence of; None for none.
        decided_at: `occurred_at` of the opportunity.
        propensities: probability of each candidate to be chosen, for decisions that choose among several.
    """

    decision_id: str
    opportunity_id: str
    account_id: str
    campaign_id: str
    action: Action
    target: str
    source: str | None
    dimension: str | None
    amount: float | None
    unit: str | None
    before: float | None
    reason: str
    triggers: tuple[Trigger, ...]
    guardrails: tuple[GuardrailEffect, ...]
    arm: Arm
    propensity: float
    explored: bool
    credited: str | None
    versions: Mapping[str, str]
    seed: int
    decided_at: float
    propensities: Mapping[str, float] = field(default_factory=dict)
