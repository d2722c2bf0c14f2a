"""What a channel brought, from customers that were held out from it at random.

The difference of the mean outcome of customers reached and held out, with Welch's interval: what would have been
bought anyway is in both.
"""

from dataclasses import dataclass
from math import sqrt

import pandas as pd

from models.evaluation.bootstrap import Interval

#: Names of the arm that a channel is kept from.
HELD_OUT = ("holdout", "held_out", "control", "baseline")
#: Units of an arm below which no difference is told.
FEWEST = 30


@dataclass(frozen=True)
class HoldoutLift:
    """Value that a channel adds a customer, measured on `reached` and `held_out` customers."""

    value: Interval
    reached: int
    held_out: int

    def over(self, customers: int) -> Interval:
        """The value added over so many customers."""
        return Interval(self.value.value * customers, self.value.low * customers, self.value.high * customers)


def holdout_lift(arms: pd.DataFrame) -> HoldoutLift:
    """The value added a customer.

    Args:
        arms: a row an arm, or an arm and day: `arm`, `units`, the outcome's `total` and its sum of `squares`.

    Raises:
        ValueError: there is no arm of customers held out, or an arm is too small; names it.
    """
    sums = arms.groupby("arm")[["units", "total", "squares"]].sum()
    held = [name for name in sums.index if str(name).lower() in HELD_OUT]
    if len(held) != 1 or len(sums) < 2:
        raise ValueError(f"arms: expected one of {', '.join(HELD_OUT)} beside others, got {', '.join(sums.index)}")
    without, reached = sums.loc[held[0]], sums.drop(index=held).sum()
    for name, one in ((held[0], without), ("reached", reached)):
        if one["units"] < FEWEST:
            raise ValueError(f"arm '{name}': expected at least {FEWEST} customers, got {one['units']:.0f}")
    return _difference(reached, without)


def _difference(reached: "pd.Series[float]", without: "pd.Series[float]") -> HoldoutLift:
    from scipy.special import stdtrit

    parts = []
    for one in (reached, without):
        units, mean = one["units"], one["total"] / one["units"]
        variance = max(one["squares"] - units * mean**2, 0.0) / (units - 1)
        parts.append((mean, variance / units, units))
    (treated, noise, count), (control, other, others) = parts
    error = sqrt(noise + other)
    freedom = (noise + other) ** 2 / (noise**2 / (count - 1) + other**2 / (others - 1)) if error else count
    half, difference = float(stdtrit(freedom, 0.975)) * error, treated - control
    return HoldoutLift(Interval(difference, difference - half, difference + half), int(count), int(others))
