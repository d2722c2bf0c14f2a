"""Limited bidding while the store is unavailable, from money that was held before.

A worker holds an allowance of each campaign it bids for, in the store, like a bid. While the store does not answer,
conservative bids are paid from it, in memory. Once the store is back, each such bid gets a hold of its own from the
allowance's money; until then the allowance covers it. So nothing is spent twice, and a killed worker loses nothing: its
allowances are settled like any hold, after the last bid that drew on them.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock

from serving.decisions.params import DecisionParams
from serving.decisions.records import Opportunity, State
from serving.decisions.state.store import Exposure, FeedbackEvent, Grant, Reservation, Store, StoreUnavailable

Campaign = tuple[str, str]


@dataclass(slots=True)
class _Purse:
    """The allowance of one campaign: the amount left, its end, and the bids that drew on it."""

    reservation_id: str
    left: float
    usable_until: float
    taken: dict[tuple[str, str], Reservation] = field(default_factory=dict)


class Allowance:
    """Loads and reserves like the store, and replaces it while it is unavailable.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, store: Store, params: DecisionParams, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._keeping, self._clock = store, params.keeping, clock
        self._purses: dict[Campaign, _Purse] = {}
        self._daily: dict[Campaign, float] = {}
        self._turn = Lock()

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        """As `Store.load`; unknown states while the store is unavailable."""
        try:
            states = self._store.load(opportunities, version)
        except StoreUnavailable:
            return [State(known=False) for _ in opportunities]
        with self._turn:
            for asked, state in zip(opportunities, states, strict=True):
                campaign = asked.account_id, asked.campaign_id
                if state.killed is None:
                    self._daily[campaign] = state.campaign.daily_limit or 0.0
                else:  # stopped campaigns stay stopped while the store is unavailable
                    self._daily.pop(campaign, None)
                    if campaign in self._purses:
                        self._purses[campaign].usable_until = float("-inf")
        return states

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        """As `Store.reserve`; from the allowances while the store is unavailable."""
        try:
            grants = self._store.reserve(asked)
        except StoreUnavailable:
            with self._turn:
                return [self._take(one) for one in asked]
        with suppress(
            StoreUnavailable
        ):  # the reservations are made; the next call notices that the store is unavailable
            self._renew({(one.account_id, one.campaign_id): one.occurred_at for one in asked})
        return grants

    def expose(self, asked: Sequence[Exposure]) -> list[Grant]:
        """As `Store.expose`. While the store is unavailable, exposures are neither counted nor limited: they cost
        nothing."""
        try:
            return self._store.expose(asked)
        except StoreUnavailable:
            return [Grant("reserved", 0.0) for _ in asked]

    def release(self, asked: Reservation) -> None:
        """Release the reservation of a withheld bid or offer. While the store is unavailable, it stays until it is
        settled."""
        given_back = f"withheld:{uuid.uuid4().hex}"
        where = asked.opportunity_id, asked.account_id, asked.campaign_id
        with suppress(StoreUnavailable):
            self._store.record([FeedbackEvent(given_back, *where, "loss", asked.occurred_at, purpose=asked.purpose)])

    def close(self) -> None:
        """Hold the bids that drew on allowances, and release what is left; otherwise it stays held for hours."""
        with self._turn, suppress(StoreUnavailable):
            self._hold_taken()
            at = time.time()
            if self._purses:
                self._store.record([_given_back(campaign, purse, at) for campaign, purse in self._purses.items()])
                self._purses.clear()

    def _take(self, asked: Reservation) -> Grant:
        purse = self._purses.get((asked.account_id, asked.campaign_id))
        if purse is None or self._clock() > purse.usable_until:
            return Grant("refused", 0.0, "the store does not answer, and this campaign has no allowance left")
        key = asked.purpose, asked.opportunity_id
        if (before := purse.taken.get(key)) is not None:
            return Grant("again", before.amount)
        if asked.amount > purse.left:
            return Grant("refused", 0.0, f"the store does not answer, and the allowance has {purse.left:.6g} left")
        purse.left -= asked.amount
        purse.taken[key] = replace(asked, drawn_from=purse.reservation_id)
        return Grant("reserved", asked.amount)

    def _renew(self, campaigns: dict[Campaign, float]) -> None:
        """Hold the bids that drew on allowances during an outage; renew allowances that are missing or half over, then
        release what is left of the old ones."""
        with self._turn:
            self._hold_taken()
            half = self._clock() + self._keeping.allowance_s / 2
            due = [
                one
                for one in campaigns
                if one in self._daily and (one not in self._purses or self._purses[one].usable_until < half)
            ]
            if not due:
                return
            wanted = [self._wanted(one, campaigns[one]) for one in due]
            usable_until = self._clock() + self._keeping.allowance_s
            grants = self._store.reserve(wanted)
            unused = []
            for campaign, reservation, grant in zip(due, wanted, grants, strict=True):
                old = self._purses.pop(campaign, None)
                if grant.status == "reserved":
                    self._purses[campaign] = _Purse(reservation.opportunity_id, grant.amount, usable_until)
                if old is not None:
                    unused.append(_given_back(campaign, old, campaigns[campaign]))
            self._store.record(unused)

    def _hold_taken(self) -> None:
        """Hold again where the outcome is unknown: each is held once."""
        taken = [one for purse in self._purses.values() for one in purse.taken.values()]
        if taken:
            self._store.reserve(taken)
            for purse in self._purses.values():
                purse.taken.clear()

    def _wanted(self, campaign: Campaign, occurred_at: float) -> Reservation:
        account, name = campaign
        amount = self._daily[campaign] * self._keeping.allowance
        return Reservation(f"allowance:{uuid.uuid4().hex}", account, name, amount, occurred_at, "allowance")


def _given_back(campaign: Campaign, purse: _Purse, occurred_at: float) -> FeedbackEvent:
    given_back = f"unused:{purse.reservation_id}"
    return FeedbackEvent(given_back, purse.reservation_id, *campaign, "loss", occurred_at, purpose="allowance")
