"""What a store of the engine's state can do, whatever it is kept in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from serving.decisions.records import Decision, Opportunity, Override, Spend, State, counted

#: No single amount is above it: sums stay whole numbers of millionths in every store (2^53 of them is 9e9).
MOST = 1e8


class StoreUnavailable(ConnectionError):
    """The store does not answer. What was asked of it may or may not have been done; asked again, it is done once."""


class Kept(Enum):
    """What stays as it was set before."""

    KEPT = "kept"


KEPT = Kept.KEPT
#: None: no limit.
Limit = float | None | Kept


@dataclass(frozen=True, slots=True)
class Terms:
    """What is set of a campaign. Amounts in the account's currency; what is not named stays as it is.

    Attributes:
        daily_limit: its daily budget; a campaign that never had one spends nothing.
        shares: of the daily budget, by dimension and name.
        candidates: keywords that it does not bid on yet.
    """

    daily_limit: float | Kept = KEPT
    limit: Limit = KEPT
    target_cpc: Limit = KEPT
    min_conversion_rate: Limit = KEPT
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        said = self.daily_limit, self.limit, self.target_cpc, self.min_conversion_rate
        counted(0.0, *(one for one in said if isinstance(one, int | float)))
        for name, share in ((n, v) for names in self.shares.values() for n, v in names.items()):
            if not 0 <= share <= 1:
                raise ValueError(f"expected a share of the daily budget for '{name}', got {share}")


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money to be set aside for a bid or an offer, until it is settled or expires.

    Attributes:
        lasts_s: seconds until it expires by the store's clock. None: it is a bid in an auction, counted as one, and
            expires as the parameters say.
    """

    opportunity_id: str
    account_id: str
    campaign_id: str
    amount: float
    occurred_at: float
    lasts_s: float | None = None

    def __post_init__(self) -> None:
        _kept(self.amount)
        counted(self.occurred_at, self.lasts_s or 0.0)


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
class Event:
    """Something that came of a decision. Counted once, however often, late or out of order it is told.

    Attributes:
        event_id: what makes it that event.
        cost: what is to be paid; it settles the reservation of the opportunity. None: not known from this event. A
            `loss` settles it with nothing.
        value: of the conversion.
        arm: whose doing it was, as evidence of policy against baseline; None where it is no evidence (a varied bid).
        version: of the policy.
        segments: what it belongs to: a name by dimension (`keyword`, `channel`, `hour`, `audience`, `creative`).
    """

    event_id: str
    opportunity_id: str
    account_id: str
    campaign_id: str
    kind: Literal["loss", "impression", "click", "conversion"]
    occurred_at: float
    cost: float | None = None
    value: float = 0.0
    arm: Literal["policy", "baseline"] | None = None
    version: str = ""
    segments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _kept(self.cost or 0.0, abs(self.value))
        counted(self.occurred_at)


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
    """State by campaign. Every method is atomic for each item, and raises `StoreUnavailable` where it is away."""

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        """What is known for each, in their order. `version` is the policy's whose evidence is wanted.

        Counters and segments come with a look at a campaign only. A campaign that nobody configured has no budget.
        """

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        """Set money aside, before a bid is answered. Never more than campaign and account have left."""

    def record(self, events: Sequence[Event]) -> list[bool]:
        """Count what happened and settle what it cost. False for an event that was counted before."""

    def claim(self, decision: Decision, cooldown_s: float) -> bool:
        """Take the right to carry out a change or an offer, before it is carried out, and note it as made.

        False where another change came between: the state it was decided on is gone. Claimed again, it is still True.
        """

    def configure(self, account_id: str, campaign_id: str, terms: Terms) -> None:
        """Set a campaign's terms; what it spent and counted stays."""

    def limit(self, account_id: str, daily_limit: Limit = KEPT, limit: Limit = KEPT) -> None:
        """Set what an account may spend, a day and in all; what is not named stays."""

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        """A person's word on a campaign; None takes it back."""

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        """Stop a campaign, an account, or everything. Without a reason it runs again."""

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        """What stands of every account and campaign that anything was set or counted of, or of one account's."""

    def stopped(self) -> str | None:
        """Why everything is stopped; None: it is not."""


def _kept(*amounts: float) -> None:
    """Raises `ValueError` for an amount that a store could not keep exactly."""
    counted(*amounts)
    if max(amounts) > MOST:
        raise ValueError(f"expected amounts up to {MOST:.0f}, got {amounts}")
