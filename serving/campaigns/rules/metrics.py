"""Metrics of rules: sums, and rates with their intervals.

A rate is of events (clicks, conversions) by what they came of (impressions, clicks, spend). Events are taken as
Poisson, with the variance that the days show where that is more; the intervals are exact for Poisson counts (Garwood,
1936) and conservative for shares. A return on spend has the spread of single values besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from serving.decisions.rules import chance

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RateMetric:
    """A rate: `events` by `of`; its inverse where it is a cost of an event.

    Attributes:
        valued: times the mean value of an event.
    """

    events: str
    of: str
    cost: bool = False
    valued: bool = False
    scale: float = 1.0


EXACT = ("impressions", "clicks", "conversions", "engagements", "spend", "value", "days")
RATES: Mapping[str, RateMetric] = {
    "ctr": RateMetric("clicks", "impressions"),
    "cvr": RateMetric("conversions", "clicks"),
    "cpc": RateMetric("clicks", "spend", cost=True),
    "cpm": RateMetric("impressions", "spend", cost=True, scale=1000.0),
    "cpa": RateMetric("conversions", "spend", cost=True),
    "roas": RateMetric("conversions", "spend", valued=True),
}
METRICS = (*EXACT, *RATES, "pacing")


@dataclass(frozen=True, slots=True)
class SeenRate:
    """What was seen of a rate in some days.

    Attributes:
        events, size: their count, and what they came of.
        noise: variance of the events relative to that of chance alone, at least 1.
        worth: mean value of an event, of a valued rate; 0 where it is not known.
    """

    metric: RateMetric
    events: float
    size: float
    noise: float = 1.0
    worth: float = 1.0

    @property
    def value(self) -> float | None:
        """The rate itself; None where nothing was seen that it could be of."""
        above, below = (self.size, self.events) if self.metric.cost else (self.events, self.size)
        return self.metric.scale * self.worth * above / below if below > 0 else None

    def interval(self, level: float) -> tuple[float, float]:
        """Ends that the true rate is beyond with a probability of at most `level` each."""
        k, size = self.events / self.noise, self.size / self.noise
        if size <= 0:
            return 0.0, float("inf")
        low = float(gammaincinv(k, level)) / size if k > 0 else 0.0
        high = float(gammaincinv(k + 1, 1 - level)) / size
        if self.metric.cost:
            low, high = 1 / high, 1 / low if low > 0 else float("inf")
        return self.metric.scale * self.worth * low, self.metric.scale * self.worth * high

    def at_limit(self, limit: float) -> float:
        """Events that were to be expected at this rate; 0 where the value of one is not known."""
        if self.worth <= 0:
            return 0.0
        rate = limit / self.metric.scale / self.worth
        return self.size / rate if self.metric.cost and rate > 0 else self.size * rate

    def beyond(self, other: "SeenRate", times: float, above: bool) -> float:
        """Probability of what was seen if the rate here were `times` the other one: the p-value of being above or
        below."""
        if self.metric.cost:
            times, above = 1 / times, not above
        noise = max(self.noise, other.noise)
        ours, theirs = (self.events / noise, self.size / noise), (other.events / noise, other.size / noise)
        return (chance.rate_at_least if above else chance.rate_at_most)(*ours, *theirs, times * _worth(self, other))


def _worth(one: SeenRate, other: SeenRate) -> float:
    """Values of events are compared by their means, as known."""
    return other.worth / one.worth if one.metric.valued and one.worth > 0 else 1.0


def noise(events: Array, size: Array) -> float:
    """Variance of daily events relative to chance, at least 1: of differences of neighbouring days, so that a change
    of the rate is no noise."""
    used = size > 0
    k, n = events[used], size[used]
    if len(k) < 8 or k.sum() <= 0:
        return 1.0
    scaled = (k - n * k.sum() / n.sum()) / np.sqrt(n * k.sum() / n.sum())
    return max(1.0, float((np.diff(scaled) ** 2).sum() / 2 / (len(k) - 1)))


def value_spread(conversions: Array, value: Array) -> float:
    """The squared coefficient of variation of the value of a conversion, from sums by day."""
    used = conversions > 0
    k, v = conversions[used], value[used]
    if len(k) < 3 or v.sum() <= 0:
        return 1.0
    mean = v.sum() / k.sum()
    return float(((v - mean * k) ** 2 / k).sum() / (len(k) - 1) / mean**2)
