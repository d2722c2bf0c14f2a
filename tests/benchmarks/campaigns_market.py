"""Simulated campaigns whose truth is known: what they spend and bring on a day, to published costs and rates.

Costs and rates are those of search ads (`features/simulator/published.py`). Conversions vary from day to day by more
than chance and with the weekday; returns diminish with spend.
"""

from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import nbinom

from features.ad_days import COUNTS, KEYS
from features.simulator.published import WORDSTREAM

CTR, CPC, CVR = WORDSTREAM["search"]
CPA = CPC / CVR
FIRST = pd.Timestamp("2026-01-05")
#: Daily conversions: events by which chance counts as one (the shape of the mixing gamma), and the weekend's rate.
SHAPE, WEEKEND = 40.0, 0.85
#: Conversions grow with this power of spend.
RETURNS = 0.7

Array = npt.NDArray[np.float64]


def conversions(expected: Array, uniforms: Array) -> Array:
    """Daily conversions at these expectations: by quantiles, so that the same luck is told of every policy."""
    return np.asarray(nbinom.ppf(uniforms, SHAPE, SHAPE / (SHAPE + np.maximum(expected, 1e-9))), dtype=float)


def weekday(day: int) -> float:
    """The rate of a day relative to the mean."""
    level = np.array([1.0] * 5 + [WEEKEND] * 2)
    return float(level[day % 7] / level.mean())


def rows(
    day: int, groups: npt.NDArray[np.str_], campaigns: npt.NDArray[np.str_], spend: Array, k: Array
) -> pd.DataFrame:
    """A day as `features.ad_days.read` has it."""
    clicks = np.maximum(np.round(spend / CPC), k)
    frame = pd.DataFrame({"ad_group_id": groups, "campaign_id": campaigns, "spend": spend, "conversions": k})
    frame = frame.assign(day=FIRST + pd.Timedelta(days=day), clicks=clicks, impressions=np.round(clicks / CTR))
    frame = frame.reindex(columns=["day", *KEYS, *COUNTS])
    frame[list(COUNTS)] = frame[list(COUNTS)].fillna(0.0)
    return frame


def hashed(frame: pd.DataFrame) -> str:
    """SHA-256 of the counts."""
    return sha256(frame[["spend", "conversions"]].to_numpy().tobytes()).hexdigest()
