"""What a store of the engine's state can do, whatever it is kept in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from serving.decisions.fields import MOST
from serving.decisions.records import Decision, Opportunity, Override, Spend, State, counted

#: No sum is: in millionths a whole number that JSON, SQLite and Redis's Lua (2^53) all hold exactly.
MOST_SUM = 9e9


class StoreUnavailable(ConnectionError):
    """The store does not answer. What was asked of it may or may not have been done; asked again, it is done once."""


class Unchanged(Enum):
    """What stays as it was set before."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
#: None: no limit.
Limit = float | None | Unchanged


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """What is set of a campaign. Amounts in the account's currency; what is not named stays as it is.

    Attributes:
        daily_limit: its daily budget; a campaign that never had one spends nothing.
        shares: of the daily budget, by dimension and name.
        candidates: keywords that it does not bid on yet.
    """

    daily_limit: float | Unchanged = UNCHANGED
    limit: Limit = UNCHANGED
    target_cpc: Limit = UNCHANGED
    min_conversion_rate: Limit = UNCHANGED
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        said = self.daily_limit, self.limit, self.target_cpc, self.min_conversion_rate
        counted(0.0, *(one for one in said if isinstance(one, int | float)))
        for name, share in ((n, v) for names in self.shares.values() for n, v in names.items()):
            if not 0 <= share <= 1:
                raise ValueError(f"expected a share of the daily budget for '{name}', got {share}")


#: What a decision is for, and money set aside for: a bid in an auction, an offer to a customer, bids of a worker whose
#: store is away, or a choice that costs nothing by itself.
Purpose = Literal["bid", "offer", "allowance", "choice"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money to be set aside, until what it is for is settled.

    It is known again by account, campaign, purpose and opportunity together.

    Attributes:
        target: the customer of an offer. Asked again for another one, it is refused.
        drawn_from: an allowance of the same campaign, by its `opportunity_id`: the bid was placed from it while the
            store was away, and takes its money from there.
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
class Grant:
    """What came of a reservation.

    Attributes:
        status: `again` where it was reserved before, with the `amount` of then, and nothing was reserved now.
        why: it was refused.
    """

    status: Literal["reserved", "again", "refused"]
    amount: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """Something that came of a decision. Counted once, however often, late or out of order it is told.

    Attributes:
        event_id: what makes it that event.
        kind: a `loss` is an auction that was lost or an offer that was declined; a `correction` replaces the cost that
            was charged, and counts as nothing else.
        cost: of the decision, not of the event alone: it is charged once, whatever events tell it. None: not told.
        value: of the conversion; negative for a refund of it.
        arm: whose doing it was, as evidence of what it brings; None where it is no evidence (a varied bid).
        version: of the policy.
        segments: what it belongs to: a name by dimension (`keyword`, `channel`, `hour`, `audience`, `creative`).
        purpose: what the decision's money was set aside for.
        decided_at: by the caller's clock: what it costs is billed on that day. None: when the event occurred.
        promised: what was decided to be paid at most, for a store that has no reservation of it any more.
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


#: Why a person should look at what was charged, or was not: `above` what was reserved; `late`, when nothing was
#: reserved any more; `conflict` with the cost that was charged before, which stands; `broken`, not counted at all.
Flag = Literal["above", "late", "conflict", "broken"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of telling the store an event.

    Attributes:
        counted: False where it was counted before.
    """

    counted: bool
    flag: Flag | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What stands of a campaign, or of a whole account.

    Attributes:
        campaign_id: None: it is the account's own.
        override: a person's word on the campaign.
        killed: why it was stopped; None: it was not, by itself.
    """

    account_id: str
    campaign_id: str | None
    spend: Spend
    target_cpc: float | None = None
    override: Override | None = None
    killed: str | None = None


class Store(Protocol):
    """State by campaign. Every method is atomic for each item, and raises `StoreUnavailable` where it is away.

    `ledger` says what holds of the money at every moment.
    """

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        """What is known for each, in their order. `version` is the policy's whose evidence is wanted.

        Counters and segments come with a look at a campaign only. A campaign that nobody configured has no budget. Of
        one whose books cannot be read nothing is known.
        """

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        """Set money aside, before a bid or an offer is answered. Never more than campaign and account have left."""

    def record(self, events: Sequence[FeedbackEvent]) -> list[Receipt]:
        """Count what happened and charge what it cost. An event that cannot be counted keeps no other from it."""

    def claim(self, decision: Decision, cooldown_s: float) -> bool:
        """Take the right to carry out a change or an offer, before it is carried out, and note it as made.

        False where another change came between: the state it was decided on is gone. Claimed again, it is still True.
        """

    def configure(self, account_id: str, campaign_id: str, terms: CampaignSettings) -> None:
        """Set a campaign's terms; what it spent and counted stays."""

    def limit(self, account_id: str, daily_limit: Limit = UNCHANGED, limit: Limit = UNCHANGED) -> None:
        """Set what an account may spend, a day and in all; what is not named stays."""

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        """A person's word on a campaign; None takes it back."""

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        """Stop a campaign, an account, or everything. Without a reason it runs again."""

    def reset_clock(self, account_id: str) -> None:
        """Take back what the store's clock left in an account and its campaigns while it ran ahead.

        Their day, the time of their last changes and what is held until a time that is still to come are noted as of
        now. Nothing of what was spent and held is forgotten: it counts as today's.
        """

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        """What stands of every account and campaign that anything was set or counted of, or of one account's."""

    def stopped(self) -> str | None:
        """Why everything is stopped; None: it is not."""


def _kept(*amounts: float) -> None:
    """Raises `ValueError` for an amount that a store could not keep exactly."""
    counted(*amounts)
    if max(amounts) > MOST:
        raise ValueError(f"expected amounts up to {MOST:.0f}, got {amounts}")
