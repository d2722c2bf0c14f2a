"""How much of their earlier use customers still make."""

import numpy as np
import pandas as pd

#: Days of the recent period in the purchase counts, and the chance beyond which a fall is noise.
RECENT, CHANCE = 28.0, 0.01


def engagement(features: pd.DataFrame, share: float) -> "pd.Series[float]":
    """The recent share of the earlier use, missing where it is unknown.

    By interactions where a business records them, else by purchases. Purchases are few: their fall counts only where it
    is beyond `share` more surely than by chance.
    """
    bought = _by_purchases(features, share)
    if "engagement_trend" not in features:
        return bought
    return features["engagement_trend"].where(features["engagement_trend"].notna(), bought)


def _by_purchases(features: pd.DataFrame, share: float) -> "pd.Series[float]":
    from scipy.special import bdtr

    recent, every, days = (features[name].astype(float) for name in ("frequency_28d", "frequency", "tenure_days"))
    before, past = every - recent, days - RECENT
    known = (past > 0) & (before > 0)
    expected = share * RECENT / (share * RECENT + past.where(known, 1.0))
    # Of all purchases, so many are recent by chance where the rate fell to this share.
    by_chance = bdtr(recent.fillna(0), every.fillna(0).astype(int), expected)
    ratio = (recent / RECENT) / (before / past).where(known, np.nan)
    return ratio.where(known & (by_chance < CHANCE))
