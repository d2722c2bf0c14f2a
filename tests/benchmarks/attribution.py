"""Retargeting that causes nothing and follows those who would buy anyway: how often its interval holds 0.

Simulated shops with a random holdout of a tenth, through the same reading, credit and scaling as `adloop attribution`.
Last touch, on the same shops, credits retargeting with most of what was sold.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from features.settings import Settings
from features.tables import Tables
from pipelines.attribution import Attributed, Holdout, run

#: In 200 runs a sound interval misses the goal one time in five, by chance alone; in 1,000 it does in one of 250.
RUNS, CUSTOMERS, SEED = 1000, 10_000, 0
HELD_OUT, DAY = 0.1, pd.Timestamp("2026-03-01")
TEST = Holdout("retargeting", "retargeting_holdout", "value")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Shares of the runs, and what last touch credits retargeting with."""
    rng, found, digest = np.random.default_rng(SEED), [], sha256()
    with TemporaryDirectory() as folder:
        for number in range(RUNS):
            done = run(shop(rng, Path(folder)), "channel", 30, None, [TEST], number)
            digest.update(done.data_hash.encode())
            found.append(done)
    one = [next(c for c in done.attribution.channels if c.credit.channel == TEST.channel) for done in found]
    holds = np.array([c.value.low <= 0 <= c.value.high for c in one])
    last = np.array([c.credit.last_touch.low <= 0 <= c.credit.last_touch.high for c in one])
    share, half = holds.mean(), 1.96 * (holds.mean() * (1 - holds.mean()) / RUNS) ** 0.5
    told = {"seed": SEED, "data_hash": digest.hexdigest()}
    yield {
        "name": "attribution.null_campaign.coverage",
        "value": float(share),
        "low": float(share - half),
        "high": float(share + half),
        "baseline": float(last.mean()),
        "goal": ">= .93, <= .97",
        "unit": f"share of {RUNS} simulated shops whose 95% interval holds 0, baseline last touch; normal interval",
    } | told
    yield {
        "name": "attribution.null_campaign.last_touch_share",
        **_quantiles([_share(done, c.credit.last_touch.value) for done, c in zip(found, one, strict=True)]),
        "unit": "of all value, credited by last touch to a channel that causes nothing; median and 95% of runs",
    } | told


def shop(rng: np.random.Generator, folder: Path) -> Tables:
    """One shop: buyers have an intent that search and retargeting follow; nobody buys because of retargeting."""
    ids = np.array([f"c{at}" for at in range(CUSTOMERS)])
    intent = rng.beta(1.0, 3.0, CUSTOMERS)
    buys = rng.random(CUSTOMERS) < intent
    spent = np.where(buys, rng.gamma(2.0, 25.0, CUSTOMERS), 0.0)
    searched = rng.random(CUSTOMERS) < 0.2 + 0.6 * intent
    chosen = rng.random(CUSTOMERS) < np.where(buys, 0.8, 0.1)
    held = chosen & (rng.random(CUSTOMERS) < HELD_OUT)
    reached, later = chosen & ~held, DAY + pd.Timedelta("2D")
    touches = pd.concat(
        pd.DataFrame({"customer_id": ids[who], "occurred_at": at, "campaign_id": name, "channel": name})
        for who, at, name in ((searched, DAY, "search"), (reached, later, TEST.channel))
    )
    frames = {
        "customers": pd.DataFrame({"customer_id": ids}),
        "touches": touches,
        "transactions": pd.DataFrame(
            {"customer_id": ids[buys], "occurred_at": DAY + pd.Timedelta("3D"), "amount": spent[buys]}
        ),
        "exposures": pd.DataFrame(
            {
                "experiment_id": TEST.experiment,
                "unit_id": ids[chosen],
                "arm": np.where(held[chosen], "holdout", "shown"),
                "occurred_at": later,
                "value": spent[chosen],
            }
        ),
    }
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return Tables(folder)


def _share(done: Attributed, credited: float) -> float:
    everything = sum(one.credit.last_touch.value for one in done.attribution.channels) + done.attribution.untouched
    return credited / everything


def _quantiles(values: list[float]) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return {"value": float(middle), "low": float(low), "high": float(high)}
