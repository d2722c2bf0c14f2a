"""Whether a campaign's conversions cost more since a change, beyond noise, on any day that somebody looks.

Each day compares the campaign with the others of its platform, so that a season or a bad day of all is no sign. The
level before the change and the course since then share the error probability (union bound); the course is a sequence
of Waudby-Smith and others (2024), see `serving.experiments.trials.confidence_sequence`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from serving.experiments.trials.confidence_sequence import multiples

#: Days before the change that are compared, and the fewest; fewest days and conversions since then.
BEFORE, LEAST_BEFORE, LEAST_SINCE, CONVERSIONS = 42, 14, 3, 10
#: Probability that a harmless change is ever called worse; the day since the change at which the course is sharpest.
ALPHA, TUNED = 0.05, 7.0
#: Added to conversions, so that a day without any has a cost.
HALF = 0.5

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OutcomeSince:
    """What became of a campaign since a change.

    Attributes:
        verdict: `worse`: conversions cost more, beyond noise; `fine`: they do not, as far as is known; `not yet`.
        low, high: 95% interval of the relative change of the cost of a conversion, which holds on all days together.
    """

    verdict: str
    said: str
    days: int
    change: float | None = None
    low: float | None = None
    high: float | None = None


def since(daily: pd.DataFrame, campaign: str, others: set[str], day: pd.Timestamp) -> OutcomeSince:
    """The outcome of a campaign from the day after a change on.

    Args:
        daily: `features.campaign_history.history` by day.
        others: campaigns that are compared with it; none of them was changed.
    """
    found = compared(daily, campaign, others)
    before, after = found[found.index < day].tail(BEFORE), found[found.index > day]
    own = daily[(daily["campaign_id"] == campaign) & (daily["day"] > day)]["conversions"].sum()
    if len(before) < LEAST_BEFORE:
        return OutcomeSince("not yet", f"{len(before)} comparable days before it, {LEAST_BEFORE} needed", len(after))
    if len(after) < LEAST_SINCE or own < CONVERSIONS:
        return OutcomeSince("not yet", f"{own:g} conversions in {len(after)} days since", len(after))
    effect, half = course(np.asarray(before, np.float64), np.asarray(after, np.float64))
    change, low, high = (float(np.expm1(one)) for one in (effect[-1], effect[-1] - half[-1], effect[-1] + half[-1]))
    verdict = "worse" if low > 0 else "fine"
    said = f"a conversion costs {change:+.0%} [{low:+.0%}, {high:+.0%}] since, over {len(after)} days"
    return OutcomeSince(verdict, said, len(after), change, low, high)


def course(before: Array, after: Array) -> tuple[Array, Array]:
    """The effect at each day since the change, and the half width of its interval, which holds on all days together."""
    days = np.arange(1.0, len(after) + 1)
    spread = before.std(ddof=1)
    level = float(stdtrit(len(before) - 1, 1 - ALPHA / 4)) * spread / np.sqrt(len(before))
    # The spread is estimated from few days, so its own error widens the course as Student's quantile does a normal's.
    wide = float(stdtrit(len(before) - 1, 0.975)) / 1.959964
    half = level + wide * multiples(days, ALPHA / 2, TUNED) * spread / np.sqrt(days)
    return np.cumsum(after) / days - before.mean(), half


def compared(daily: pd.DataFrame, campaign: str, others: set[str]) -> "pd.Series[float]":
    """By day, the logarithm of the campaign's cost of a conversion over that of the others together."""
    own = daily[daily["campaign_id"] == campaign].groupby("day")[["spend", "conversions"]].sum()
    all_others = daily[daily["campaign_id"].isin(others)].groupby("day")[["spend", "conversions"]].sum()
    joined = own.join(all_others, rsuffix="_others", how="inner" if others else "left")
    joined = joined[joined["spend"] > 0].sort_index()
    cost = joined["spend"] / (joined["conversions"] + HALF)
    if others:
        cost = cost / (joined["spend_others"].clip(lower=1e-9) / (joined["conversions_others"] + HALF))
    return cost.map(math.log)
