"""The interface of stores of the decision state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from serving.decisions.fields import MOST
from serving.decisions.records import Decision, Opportunity, Override, PacedBy, Spend, State, counted

#: Limit of all sums: in millionths, an integer that JSON, SQLite and Redis's Lua (2^53) hold exactly.
MOST_SUM = 9e9


class StoreUnavailable(ConnectionError):
    """The store does not answer. The operation may have been done or not; repeating it is safe."""


class Unchanged(Enum):
    """Marks a setting that stays unchanged."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
#: None means no limit.
Limit = float | None | Unchanged


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """Settings of a campaign, in the account's currency. Omitted ones stay unchanged.

    Attributes:
        daily_limit: the daily budget; a campaign that never had one spends nothing.
        shares: shares of the daily budget, by dimension and name.
        candidates: keywords without bids so far.
        resting: creatives that are not shown, each with the reason; an empty reason shows it again.
    """

    daily_limit: float | Unchanged = UNCHANGED
    limit: Limit = UNCHANGED
    target_cpc: Limit = UNCHANGED
    min_conversion_rate: Limit = UNCHANGED
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()
    resting: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        said = self.daily_limit, self.limit, self.target_cpc, self.min_conversion_rate
        counted(0.0, *(one for one in said if isinstance(one, int | float)))
        for name, share in ((n, v) for names in self.shares.values() for n, v in names.items()):
            if not 0 <= share <= 1:
                raise ValueError(f"expected a share of the daily budget for '{name}', got {share}")


#: Purpose of a decision and of its reserved money: a bid, an offer, bids during an outage of the store, or a choice
#: without a cost of its own.
Purpose = Literal["bid", "offer", "allowance", "choice"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """A request to hold money until it is settled.

    Identified by account, campaign, purpose and opportunity.

    Attributes:
        target: the customer of an offer. A repetition for another customer is refused.
        drawn_from: `opportunity_id` of the allowance that paid the bid during an outage of the store.
    """

    opportunity_id: str
    account_id: str
    campaign_id: str
    amount: float
    occurred_at: float
    purpose: Purpose = "bid"
    target: str = ""
    drawn_from: str = ""

    def __post_init__(self) -> None:
        _kept(self.amount)
        counted(self.occurred_at)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A creative about to be shown.

    Attributes:
        customer_id: who sees it; None where unknown, and then without a limit.
        most: how often it may be shown to one customer on one day (UTC).
    """

    opportunity_id: str
    account_id: str
    campaign_id: str
    creative_id: str
    customer_id: str | None
    occurred_at: float
    most: int

    def __post_init__(self) -> None:
        counted(self.occurred_at, self.most)


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of a reservation or an exposure.

    Attributes:
        status: `again` for a repeated one, with the `amount` of the first; nothing more was reserved.
        why: reason of a refusal; of a repeated exposure, the creative that was shown first.
    """

    status: Literal["reserved", "again", "refused"]
    amount: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """An outcome of a decision. Counted once, even if it is late, repeated or out of order.

    Attributes:
        event_id: unique within the account.
        kind: a `loss` is a lost auction or a declined offer; a `correction` replaces the charged cost, and counts as
            nothing else.
        cost: cost of the decision, charged once, whichever event reports it. None where this one reports none.
        value: of the conversion; negative for a refund.
        arm: the arm that it is evidence of; None where it is none (an explored bid).
        version: of the policy.
        segments: its segments: a name by dimension (`keyword`, `channel`, `hour`, `audience`, `creative`).
        purpose: what the decision's money was reserved for.
        decided_at: by the caller's clock; the cost is billed on that day. None: when the event occurred.
        promised: the decided amount, for a store that has deleted its reservation.
    """

    event_id: str
    opportunity_id: str
    account_id: str
    campaign_id: str
    kind: Literal["loss", "impression", "click", "conversion", "correction"]
    occurred_at: float
    cost: float | None = None
    value: float = 0.0
    arm: str | None = None
    version: str = ""
    segments: Mapping[str, str] = field(default_factory=dict)
    purpose: Purpose = "bid"
    decided_at: float | None = None
    promised: float = 0.0

    def __post_init__(self) -> None:
        _kept(self.cost or 0.0, abs(self.value), self.promised)
        counted(self.occurred_at, self.decided_at or 0.0)


#: Why a charge needs a check: `above` the reserved amount; `late`, after the reservation had ended; `conflict` with the
#: cost charged before, which stays; `broken`, not counted at all.
Flag = Literal["above", "late", "conflict", "broken"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of recording an event.

    Attributes:
        counted: False where it was counted before.
    """

    counted: bool
    flag: Flag | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits and spend of a campaign or of a whole account.

    Attributes:
        campaign_id: None for the account's own.
        override: manual override of the campaign.
        killed: why it is stopped; None where it is not stopped itself.
    """

    account_id: str
    campaign_id: str | None
    spend: Spend
    target_cpc: float | None = None
    override: Override | None = None
    killed: str | None = None


class Store(Protocol):
    """State by campaign. Every method is atomic per item, and raises `StoreUnavailable` where the store does not
    answer.

    `ledger` describes the invariants of the money.
    """

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        """The states of opportunities, in order. `version` is the policy version whose evidence is needed.

        Only reviews of campaigns include counters and segments. A campaign without settings has no budget. Where the
        books are unreadable, the state is unknown.
        """

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        """Reserve money before a bid or offer is answered, at most what the campaign and account have left."""

    def expose(self, asked: Sequence[Exposure]) -> list[Grant]:
        """Count exposures before they are answered, each once; refuse those above a customer's limit for the day."""

    def record(self, events: Sequence[FeedbackEvent]) -> list[Receipt]:
        """Count events and charge their costs. An event that cannot be counted does not affect the others."""

    def claim(self, decision: Decision, cooldown_s: float, paced_by: PacedBy = "campaign_id") -> bool:
        """Claim the right to execute a change or offer, and record it as made.

        False where another change was made since the decision. Idempotent: a repeated claim is still True.

        Args:
            paced_by: as the kind of decision says, see `Opportunity`; an offer's target is the customer.
        """

    def configure(self, account_id: str, campaign_id: str, terms: CampaignSettings) -> None:
        """Set a campaign's settings; its spend and counts stay."""

    def limit(self, account_id: str, daily_limit: Limit = UNCHANGED, limit: Limit = UNCHANGED) -> None:
        """Set an account's daily and total limit; omitted ones stay unchanged."""

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        """Set the manual override of a campaign; None removes it."""

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        """Stop a campaign, an account, or everything; without a reason, resume."""

    def reset_clock(self, account_id: str) -> None:
        """Correct an account and its campaigns after the store's clock was fast.

        Days, change times and due times in the future are set to now. Spend and holds stay, and count as today's.
        """

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        """Budgets of all accounts and campaigns with settings or counts, or of one account's."""

    def stopped(self) -> str | None:
        """Why everything is stopped; None while it is not."""


def _kept(*amounts: float) -> None:
    """Raises `ValueError` for an amount that a store cannot keep exactly."""
    counted(*amounts)
    if max(amounts) > MOST:
        raise ValueError(f"expected amounts up to {MOST:.0f}, got {amounts}")
