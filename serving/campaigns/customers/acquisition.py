"""What a new customer may cost, by channel: predicted lifetime value against the cost of acquisition."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import pandas as pd

from models.evaluation.bootstrap import Interval

#: Customers of a channel below which its value is taken to be that of all.
FEWEST = 30


@dataclass(frozen=True)
class AcquisitionChannel:
    """A channel's new customers, their value, and what one may cost.

    Attributes:
        value: predicted lifetime value of one, with the 95% interval of its mean.
        pooled: whether the channel has too few customers, so that the value is that of all.
        cost: of acquiring one; None where no spend is told.
        ratio: margin of the value over the cost.
        threshold: the least value at which a customer is worth the cost.
        above: share of the channel's customers worth at least that; None where they are too few to tell.
        target: value to bid for: the margin of the lower bound.
        most: the most that one may cost.
    """

    channel: str
    customers: int
    value: Interval
    pooled: bool
    cost: float | None
    ratio: Interval | None
    threshold: float | None
    above: float | None
    target: float
    most: float


def channels(
    acquired: pd.DataFrame, spend: Mapping[str, float], margin: float, ratio: float
) -> list[AcquisitionChannel]:
    """All channels, the one of most customers first.

    Args:
        acquired: a row a new customer: `channel` and `value`, the predicted lifetime value.
        spend: by channel.
        margin: share of the value that is left after what was sold is paid.
        ratio: how many times its cost a customer's margin is to be.

    Raises:
        ValueError: a spend is of a channel without customers, or there are too few customers in all.
    """
    unknown = sorted(set(spend) - set(acquired["channel"]))
    if unknown:
        there = ", ".join(sorted(set(acquired["channel"])))
        raise ValueError(f"--spend: expected a channel of {there}, got {', '.join(unknown)}")
    if len(acquired) < FEWEST:
        raise ValueError(f"acquisition: expected at least {FEWEST} customers, got {len(acquired)}")
    everybody = _mean(acquired["value"])
    found = []
    for channel, rows in acquired.groupby("channel"):
        pooled = len(rows) < FEWEST
        value = everybody if pooled else _mean(rows["value"])
        found.append(_channel(str(channel), rows["value"], value, pooled, spend.get(str(channel)), margin, ratio))
    return sorted(found, key=lambda one: -one.customers)


def _channel(
    name: str,
    values: "pd.Series[float]",
    value: Interval,
    pooled: bool,
    spent: float | None,
    margin: float,
    ratio: float,
) -> AcquisitionChannel:
    cost = None if spent is None else spent / len(values)
    times = None
    if cost:
        times = Interval(*(margin * one / cost for one in (value.value, value.low, value.high)))
    threshold = None if cost is None else ratio * cost / margin
    above = None if threshold is None or pooled else float((values >= threshold).mean())
    target = margin * max(value.low, 0.0)
    return AcquisitionChannel(name, len(values), value, pooled, cost, times, threshold, above, target, target / ratio)


def _mean(values: "pd.Series[float]") -> Interval:
    """The mean with Student's interval."""
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, 0.975)) * float(values.std(ddof=1)) / sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half)
