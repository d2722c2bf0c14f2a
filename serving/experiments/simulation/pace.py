"""Pacing features that an advertiser's own bidder computes for the policies."""

from dataclasses import dataclass

from features.simulator.market import Floats
from models.bidding.observation import NEWEST
from serving.experiments.simulation.advertisers import HOURS, Advertiser


@dataclass
class Pace:
    """State of one campaign's day; `Observation` describes the figures."""

    advertiser: Advertiser
    day: int = -1
    seen: int = 0
    spent: float = 0.0
    recent_cost: float = 0.0
    pacing_debt: float = 0.0

    def features(self, hour: int, minute: float) -> dict[str, float]:
        """Features of an auction in an hour since the start of the simulation."""
        auctions, remaining = self._forecast(hour, minute)
        debt = {"recent_cost": self.recent_cost, "pacing_debt": self.pacing_debt}
        return {"auctions": auctions, "remaining": remaining, **debt}

    def begin(self, hour: int) -> None:
        """Begin a new day without spend; recent costs stay."""
        if hour // HOURS > self.day:
            self.day, self.seen, self.spent, self.pacing_debt = hour // HOURS, 0, 0.0, 0.0

    def take(self, paid: Floats) -> None:
        """Add the next auctions' costs, in order of time."""
        auctions = float(self._expected().sum())
        for cost in paid.tolist():
            self.seen, self.spent = self.seen + 1, self.spent + cost
            self.recent_cost += NEWEST * (cost - self.recent_cost)
            self.pacing_debt += self.seen / auctions - self.spent / self.advertiser.budget

    def _forecast(self, hour: int, minute: float) -> tuple[float, float]:
        """Expected auctions of the day, and those left, from the same weekday of the week before."""
        expected, now = self._expected(), hour % HOURS
        left = expected[now + 1 :].sum() + expected[now] * (1 - minute / 60)
        return float(expected.sum()), float(max(left, 1.0))

    def _expected(self) -> Floats:
        week = self.advertiser.expected
        found: Floats = week[self.day % len(week)]
        return found
