"""A made-up business of any size that stays as it is: customers come and leave at the same rate, markets keep
their prices."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.database import connect
from features.tables import literal

START = "2022-01-01"
#: Purchases a customer makes within the two years, on average: what the number of customers follows from.
DAYS, ORDERS = 730, 4.26
#: Days of auctions: a month to learn from, a quarter to look after.
AUCTION_DAYS = 125
#: The first customers came this long before the first day: by then nearly all of the earliest are gone.
BEFORE = 600

# Every number is drawn by a hash of the seed, the customer and what it is for. Lives are exponential, as in the
# Pareto/NBD model (Schmittlein, Morrison and Colombo, 1987); each customer has a pace and a price level of its own.
_SHOP = """
    CREATE MACRO draw(who, what) AS (hash(who, what, {seed}) % 1000000 + 0.5) / 1000000;
    CREATE MACRO normal(who, what) AS sqrt(-2 * ln(draw(who, what))) * cos(2 * pi() * draw(who, what || '.'));
    CREATE TABLE people AS
    SELECT range AS who, 'c' || lpad(range::VARCHAR, 8, '0') AS customer_id,
           draw(range, 'joined') * ({days} + {before}) - {before} AS joined,
           -ln(draw(range, 'life')) * 150 AS life,
           8 + 30 * draw(range, 'gap') AS gap,
           exp(3 + 0.5 * normal(range, 'level')) AS level,
           ['basic', 'gold', 'plus'][1 + (draw(range, 'plan') * 3)::INT % 3] AS plan
    FROM range({customers});
    CREATE TABLE bought AS
    SELECT customer_id, level, who, nth,
           joined + (nth + CASE WHEN nth > 0 THEN draw(who, 'when' || nth) - 0.5 ELSE 0 END) * gap AS day
    FROM people, unnest(range(0, floor(life / gap)::BIGINT + 1)) AS orders(nth);
    COPY (
        SELECT customer_id, TIMESTAMP '{start}' + to_seconds((day * 86400)::BIGINT) AS occurred_at,
               round(level * exp(0.3 * normal(who, 'amount' || nth)), 2) AS amount,
               customer_id || '-' || nth AS order_id,
               ['bread', 'milk', 'wine', 'beer', 'fruit'][1 + (draw(who, 'category' || nth) * 5)::INT % 5] AS category
        FROM bought WHERE day >= 0 AND day < {days}
        ORDER BY occurred_at, customer_id, order_id
    ) TO {transactions} (FORMAT parquet);
    COPY (
        SELECT DISTINCT customer_id, plan FROM people SEMI JOIN read_parquet({transactions}) USING (customer_id)
        ORDER BY customer_id
    ) TO {customers_file} (FORMAT parquet);
"""


def write(folder: Path, transactions: int, seed: int = 7, days: int = DAYS) -> Path:
    """Write `customers` and about so many `transactions` of two years into `folder`; a seed writes the same rows."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: literal(str(folder / f"{name}.parquet")) for name in ("transactions", "customers")}
    with connect() as db:
        db.execute(
            _SHOP.format(
                seed=seed,
                days=days,
                before=BEFORE,
                start=START,
                customers=round(transactions / ORDERS * (days + BEFORE) / (DAYS + BEFORE)),
                transactions=files["transactions"],
                customers_file=files["customers"],
            )
        )
    return folder


def write_auctions(folder: Path, campaigns: int = 6, daily: int = 500, seed: int = 7) -> Path:
    """Write `auctions` into `folder`, each campaign's as many every day: prices, predictions and clicks stay as they
    are, dearer in the evening."""
    rng, count = np.random.default_rng(seed), daily * AUCTION_DAYS
    tables = []
    for campaign in range(campaigns):
        price, ctr = 40 * rng.lognormal(0, 0.5), 0.05 * rng.lognormal(0, 0.3)
        at = (
            np.repeat(np.arange(AUCTION_DAYS) * 86400, daily)
            + np.sort(rng.integers(0, 86400, (AUCTION_DAYS, daily))).ravel()
        )
        chance = np.minimum(ctr * rng.gamma(1.5, 1 / 1.5, count), 0.9)
        evening = 1 + 0.3 * (at % 86400 > 18 * 3600)
        tables.append(
            pd.DataFrame(
                {
                    "campaign_id": f"campaign {campaign}",
                    "occurred_at": pd.Timestamp(START) + pd.to_timedelta(at, unit="s"),
                    "channel": rng.choice(["mobile", "desktop"], count, p=[0.6, 0.4]),
                    "market_price": np.round(price * evening * rng.gamma(2, 0.5, count), 2),
                    "click": (rng.random(count) < chance).astype(float),
                    "predicted_ctr": np.minimum(chance * rng.lognormal(0, 0.3, count), 1.0),
                }
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(tables).to_parquet(folder / "auctions.parquet", index=False, coerce_timestamps="us")
    return folder
