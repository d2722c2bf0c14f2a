"""A small made-up business in canonical tables: customers who buy at their own pace until they stop, and auctions."""

from pathlib import Path

import numpy as np
import pandas as pd

START = pd.Timestamp("2023-01-01")
DAYS = 420


def write(folder: Path, customers: int = 400, seed: int = 7) -> Path:
    """Write `customers`, `transactions`, `touches` and `auctions` into `folder`; the same seed writes the same rows."""
    rng = np.random.default_rng(seed)
    names = [f"c{number:05d}" for number in range(customers)]
    folder.mkdir(parents=True, exist_ok=True)
    plan = rng.choice(["basic", "gold", None], customers, p=[0.6, 0.3, 0.1])
    pd.DataFrame(
        {
            "customer_id": names,
            "age": rng.choice(["18-34", "35-54", "55+"], customers),
            "income": rng.choice(["low", "high"], customers),
            "plan": plan,
            "household_size": np.where(rng.random(customers) < 0.1, np.nan, rng.integers(1, 6, customers)),
        }
    ).to_parquet(folder / "customers.parquet", index=False)
    _purchases(names, plan, rng).to_parquet(folder / "transactions.parquet", index=False, coerce_timestamps="us")
    who = rng.choice(names, customers * 2)
    pd.DataFrame(
        {
            "customer_id": who,
            "occurred_at": START + pd.to_timedelta(rng.integers(0, DAYS, len(who)), unit="D"),
            "campaign_id": rng.choice(["spring", "autumn"], len(who)),
            "channel": rng.choice(["email", "post"], len(who)),
        }
    ).to_parquet(folder / "touches.parquet", index=False, coerce_timestamps="us")
    auctions = pd.concat([_auctions("spring", 40, 0.10, rng), _auctions("autumn", 80, 0.06, rng)])
    auctions.to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return folder


def _auctions(campaign: str, price: float, ctr: float, rng: np.random.Generator, daily: int = 20) -> pd.DataFrame:
    """Others bid more for what is clicked more, and the prediction tells half of that."""
    count = daily * DAYS
    chance = ctr * rng.gamma(1.5, 1 / 1.5, count)
    return pd.DataFrame(
        {
            "campaign_id": campaign,
            "occurred_at": START + pd.to_timedelta(np.sort(rng.integers(0, DAYS * 86400, count)), unit="s"),
            "channel": rng.choice(["mobile", "desktop"], count),
            "market_price": np.round(price * rng.gamma(2, 0.5, count) * (0.7 + 0.3 * chance / ctr), 2),
            "click": (rng.random(count) < chance).astype(float),
            "predicted_ctr": np.minimum(chance * rng.lognormal(0, 0.5, count), 1.0),
        }
    )


def _purchases(names: list[str], plan: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    gap = rng.gamma(2, 8, len(names)) + 2
    life = rng.exponential(np.where(plan == "gold", 600.0, 250.0))
    value = rng.lognormal(3, 0.6, len(names))
    joined = rng.integers(0, 120, len(names))
    number = np.minimum(np.minimum(life, DAYS - joined) / gap, 60).astype(int) + 1
    who = np.repeat(np.arange(len(names)), number)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(number) - number, number)
    day = joined[who] + nth * gap[who] + rng.uniform(0, 0.5, len(who)) * gap[who] * (nth > 0)
    bought = pd.DataFrame(
        {
            "customer_id": np.array(names)[who],
            "occurred_at": START + pd.to_timedelta((day * 86400).astype(int), unit="s"),
            "amount": np.round(value[who] * rng.lognormal(0, 0.3, len(who)), 2),
            "product_id": rng.choice([f"p{number}" for number in range(30)], len(who)),
            "channel": rng.choice(["shop", "web"], len(who)),
        }
    )
    return bought[day < DAYS].sort_values("occurred_at")
