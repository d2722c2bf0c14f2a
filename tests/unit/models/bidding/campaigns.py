"""A made-up log of two campaigns, and the parameters that fit it."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.tables import Tables
from models.bidding.params import BiddingParams

LENGTH, DAILY, DAYS = 20, 50, 40
SECTION = {
    "seed": 3,
    "window": {"horizon_days": 7, "step_days": 1, "min_history_days": 14},
    "goal": "clicks",
    "pricing": "second",
    "spend": "all",
    "auctions": LENGTH,
    "rounds": 1,
    "episodes": 2,
    "steps": 5,
    "reward": {},
}
PARAMS = BiddingParams.read(SECTION)


def log(seed: int = 0) -> pd.DataFrame:
    """Two campaigns of other prices over forty days."""
    rng = np.random.default_rng(seed)
    parts = []
    for campaign, price in (("cheap", 10.0), ("dear", 50.0)):
        count = DAILY * DAYS
        chance = rng.gamma(1, 0.1, count).clip(0.001, 0.9)
        seconds = np.sort(rng.integers(0, DAYS * 86400, count))
        parts.append(
            pd.DataFrame(
                {
                    "campaign_id": campaign,
                    "occurred_at": pd.Timestamp("2024-03-01") + pd.to_timedelta(seconds, unit="s"),
                    "market_price": np.round(price * rng.gamma(2, 0.5, count), 2),
                    "click": (rng.random(count) < chance).astype(float),
                    "predicted_ctr": chance,
                }
            )
        )
    return pd.concat(parts)


def tables(rows: pd.DataFrame, folder: Path) -> Tables:
    rows.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return Tables(folder)


def split(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows["split"] == name].reset_index(drop=True)
