"""What a decision is made from, and what it says. All of it goes to JSON and comes back equal.

Money is in units of the account's currency, times are Unix seconds by the clock of whoever asks. A number that is not
finite becomes null in JSON: in what a caller or a model says, the engine treats it as missing; in what a store knows it
is refused here, because a limit that is no number must not read as no limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import ClassVar, Literal

from pydantic import ConfigDict

from serving.decisions.fields import Features, Hour, Moment, Name

Arm = Literal["policy", "baseline", "fallback", "override", "killed"]
Value = float | int | str | bool | None
#: Parts of the currency's unit that money is counted in.
MICRO = 1_000_000
#: The unit of amounts of money.
UNIT = "currency"


def counted(*amounts: float) -> None:
    """Raises `ValueError` unless all are finite and none is negative."""
    if not isfinite(sum(amounts)) or min(amounts) < 0:
        raise ValueError(f"expected amounts that are finite and not negative, got {amounts}")


class Action(StrEnum):
    """What is to be done."""

    HOLD = "hold"
    BID = "bid"
    RAISE_BID = "raise_bid"
    LOWER_BID = "lower_bid"
    PAUSE_KEYWORD = "pause_keyword"
    ADD_KEYWORD = "add_keyword"
    MOVE_BUDGET = "move_budget"
    ROTATE_CREATIVE = "rotate_creative"
    RETENTION_OFFER = "retention_offer"


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One thing to decide. Each kind of decision has a class of its own, with the fields that it alone knows.

    Attributes:
        opportunity_id: the idempotency key: asked again with it, the answer is the same and nothing is reserved twice.
        occurred_at: the caller's clock.
        asked: the kind of decision.
        keyword, channel, audience, creative_id, hour: the segments of the campaign that it belongs to.
        customer_id: who would see it.
        features: whatever else the models were given, by name.
        counted: whether the state comes with the counters of the campaign and its segments, which takes time.
        paced_by: the field with the id of what a cooldown is waited of.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    counted: ClassVar[bool] = False
    paced_by: ClassVar[Literal["campaign_id", "customer_id"]] = "campaign_id"

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
    """What the models said of an opportunity.

    Attributes:
        answers: by the names that its kind of decision has for what it needs; one that is missing was not asked for, or
            failed, and `faults` says which.
        features: as the models read them, those among them that were looked up online; what was missing is not in it.
        versions: of each family that answered.
        faults: what went wrong, a line each: a model that threw, a store that is away.
        took_ms: milliseconds until all had answered, for the whole group that was asked together.
    """

    answers: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, Value] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    took_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened: auctions bid in, and what came of them."""

    bids: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    conversion_value: float = 0.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        counted(self.bids, self.impressions, self.clicks, self.conversions, self.cost)
        counted(abs(self.conversion_value))  # refunds may make it negative


@dataclass(frozen=True, slots=True)
class WindowedCounters:
    """Counters of the recent past, and of all before it."""

    recent: Counters = Counters()
    past: Counters = Counters()


@dataclass(frozen=True, slots=True)
class Segment:
    """A keyword, channel, hour, audience or creative of a campaign.

    Attributes:
        share: of the campaign's daily budget, where budgets are kept in this dimension.
        paused: it takes no traffic: stopped, or a candidate that was never started.
    """

    window: WindowedCounters = WindowedCounters()
    share: float | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Spend:
    """Money of a campaign or an account. What is reserved is promised to bids and offers that are not settled yet.

    Attributes:
        today: billed for decisions of today, and `total` for all.
        reserved: for decisions of today, and `reserved_before` for those of the days before.
        daily_limit: of a campaign its daily budget. None: there is none.
        limit: of all spend, ever.
        returning: of `reserved`, what is expected to come back: bids that are lost, and what winners do not pay of
            theirs; and `returning_before` of `reserved_before`.
        excess: of `total`, what was billed without having been reserved: told late, or above what was bid.
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
        """What may still be promised; None: there is no limit. Never negative."""
        return self._left(self.reserved, self.reserved + self.reserved_before)

    @property
    def remaining(self) -> float | None:
        """What is expected to be left once all that is reserved is settled: what to pace by. None: no limit."""
        before = self.reserved_before - self.returning_before
        return self._left(self.reserved - self.returning, self.reserved - self.returning + before)

    @property
    def expected_today(self) -> float:
        """What is expected to have been spent today once all that is reserved is settled."""
        return self.today + self.reserved - self.returning

    @property
    def tightest(self) -> str:
        """Which limit leaves less: that of the day, or that of all spend."""
        if self.daily_limit is None or self.limit is None:
            return "in all" if self.daily_limit is None else "of the day"
        today = self.daily_limit - self.today
        return "of the day" if today <= self.limit - self.total - self.reserved_before else "in all"

    def _left(self, today: float, ever: float) -> float | None:
        rooms = []
        if self.daily_limit is not None:
            rooms.append(self.daily_limit - self.today - today)
        if self.limit is not None:
            rooms.append(self.limit - self.total - ever)
        return max(0.0, min(rooms)) if rooms else None


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """What an arm spent and brought. `value_squared` sums the square of each conversion's value."""

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
    """What was changed of the campaign.

    Attributes:
        multiplier: that all its bids are multiplied by.
        last_at: when anything was changed; None: never.
        bid_today: sum of the sizes of today's changes of the multiplier, each |ln(after / before)|.
        moved_today: share of the daily budget that was moved today, over all dimensions.
    """

    multiplier: float = 1.0
    last_at: float | None = None
    bid_today: float = 0.0
    moved_today: float = 0.0

    def __post_init__(self) -> None:
        counted(self.multiplier, self.last_at or 0.0, self.bid_today, self.moved_today)


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word on a campaign: bid exactly this, or (None) change nothing and let the baseline bid."""

    bid: float | None = None
    by: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        counted(self.bid or 0.0)


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a campaign and its account at the moment of the decision.

    Attributes:
        known: False where the store did not answer: everything else is then its default.
        seen_at: the latest clock of an opportunity of this campaign; a clock before it went back.
        store_at: the store's own clock when this was read.
        account_window: counters of the whole account, the campaign among them.
        segments: by dimension (`keyword`, `channel`, `hour`, `audience`, `creative`), then by name.
        min_conversion_rate: below it, the campaign's conversions are too few; None: its history is the measure.
        evidence: what each arm of a policy spent and brought, since this version of it decides.
        killed: who stopped it and why; None: it runs. Of the campaign, the account or everything.
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

    def outcome(self, arm: str) -> ArmOutcome:
        """What an arm spent and brought."""
        return self.evidence.get(arm, _NOTHING)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A finding: what was seen, how far it is from what was expected, and how sure that is.

    Attributes:
        statistic: the ratio, rate or share that was measured, and `threshold` what it crossed.
        chance: probability of seeing this by chance; 0 where nothing is left to chance, None where a model says it.
        evidence: the counts behind it.
    """

    name: str
    statistic: float
    threshold: float
    chance: float | None
    evidence: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardrailEffect:
    """A guardrail that changed a decision: the amount it found and the one it left, and why."""

    guardrail: str
    found: float | None
    left: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and why.

    Attributes:
        decision_id: from the opportunity and the seed: asked again, it is the same.
        target: what it is done to: a campaign, keyword, channel, creative, customer.
        source: what budget or traffic is moved away from, in `dimension`, to the target.
        amount: after all guardrails, in `unit`; None where the action has none.
        before: what `amount` replaces.
        reason: in words.
        triggers: the findings that led to it.
        guardrails: in the order they touched it.
        arm: who decided.
        propensity: probability that this arm was drawn and proposed this; guardrails leave nothing to chance.
        explored: it is not what would have been done if nothing were to be learned.
        credited: the arm that what comes of it is evidence of; None: of none.
        decided_at: the opportunity's clock.
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
