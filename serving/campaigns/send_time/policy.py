"""Draws the hour of an e-mail by Thompson sampling, with exact propensities and a standing holdout."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from serving.campaigns.send_time.hours import HourCounts
from serving.decisions.rules.bandit import at_least, best


@dataclass(frozen=True, slots=True)
class SendTimePolicy:
    """How hours are drawn.

    Attributes:
        hours: of the recipient's clock at which e-mails may be sent.
        fixed: the hour of the holdout, and of everybody before.
        holdout: share of customers who stay at the fixed hour.
        explored: share of draws that is even over all hours, so that no hour is given up for good.
        salt: which customers are held out; another salt holds out others.
    """

    hours: tuple[int, ...] = tuple(range(7, 22))
    fixed: int = 10
    holdout: float = 0.1
    explored: float = 0.1
    salt: str = "send time"

    def __post_init__(self) -> None:
        if not self.hours or not set(self.hours) <= set(range(24)) or len(set(self.hours)) < len(self.hours):
            raise ValueError(f"hours: expected different hours from 0 to 23, got {list(self.hours)}")
        if self.fixed not in self.hours:
            raise ValueError(f"fixed: expected one of the hours, got {self.fixed}")
        for name in ("holdout", "explored"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}: expected a share between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class SendHour:
    """A drawn hour. `propensity`: the probability that it was drawn with."""

    customer_id: str
    segment: str
    arm: Literal["learnt", "holdout"]
    hour: int
    propensity: float


def draw(policy: SendTimePolicy, counts: HourCounts, change_id: str, customer_id: str, segment: str) -> SendHour:
    """The hour of an e-mail. The same e-mail gets the same hour from the same counts."""
    if _uniform(policy.salt, customer_id) < policy.holdout:
        return SendHour(customer_id, segment, "holdout", policy.fixed, 1.0)
    chances = propensities(policy, counts, customer_id, segment)
    drawn, reached = _uniform(policy.salt, change_id, customer_id), 0.0
    for hour, chance in zip(policy.hours, chances, strict=True):
        reached += chance
        if drawn < reached:
            return SendHour(customer_id, segment, "learnt", hour, chance)
    return SendHour(customer_id, segment, "learnt", policy.hours[-1], chances[-1])  # the sum fell short by rounding


def propensities(policy: SendTimePolicy, counts: HourCounts, customer_id: str, segment: str) -> Sequence[float]:
    """The probability of each hour to be drawn for a customer outside the holdout."""
    return at_least(best(counts.rates(customer_id, segment, policy.hours)), policy.explored)


def send_at(hour: int, zone: str, after: datetime) -> datetime:
    """The next time in UTC at which the recipient's clock shows the hour, from `after` on."""
    local = after.astimezone(ZoneInfo(zone))
    days = (
        local.date() + timedelta(days=ahead) for ahead in range(3)
    )  # an hour may be left out when clocks go forward
    times = (datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in days)
    return next(one for one in times if one >= after and one.astimezone(ZoneInfo(zone)).hour == hour)


def _uniform(*parts: str) -> float:
    """A number in [0, 1) that is drawn by what it is for, so that draws can be replayed."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:7]) / 2**56
