"""A small shop's customers, simulated as buy-till-you-die has it, as frames of the features that LTV reads."""

import numpy as np
import pandas as pd
import pytest

from features.examples import Window
from models.ltv import LtvParams

HISTORY, HORIZON = 200, 60


@pytest.fixture(scope="session")
def params() -> LtvParams:
    window = Window(horizon_days=HORIZON, step_days=28, min_history_days=84)
    return LtvParams(seed=7, window=window, coverage=0.8, trees=40, leaves=7, leaf_rows=20, learning_rate=0.1)


@pytest.fixture(scope="session")
def train() -> pd.DataFrame:
    return frame(seed=1, customers=1500, at="2024-03-01")


@pytest.fixture(scope="session")
def valid() -> pd.DataFrame:
    return frame(seed=2, customers=1500, at="2024-05-01")


@pytest.fixture(scope="session")
def test() -> pd.DataFrame:
    return frame(seed=3, customers=1500, at="2024-07-01")


def frame(seed: int, customers: int, at: str) -> pd.DataFrame:
    """Features and label of customers who join over time, buy at their own rate and value, and one day leave."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.8, 1 / 30, customers)
    gold = rng.random(customers) < 0.3
    worth = rng.gamma(4, 5, customers) * np.where(gold, 2, 1)
    leaving = rng.beta(1, 4, customers)
    age = rng.integers(1, HISTORY, customers)
    rows = [_customer(rng, *one) for one in zip(rate, worth, leaving, age, strict=True)]
    names = ["btyd_frequency", "btyd_recency", "monetary", "btyd_value", "order_value_last", "value"]
    return pd.DataFrame(rows, columns=names).assign(
        btyd_age=age.astype(float),
        plan=np.where(gold, "gold", "basic"),
        newsletter=rng.random(customers) < 0.5,
        customer_id=[f"{seed}-{place}" for place in range(customers)],
        event_timestamp=pd.Timestamp(at),
        split="any",
        horizon_days=HORIZON,
    )


def _customer(
    rng: np.random.Generator, rate: float, worth: float, leaving: float, age: int
) -> tuple[float, float, float, float, float, float]:
    gaps = np.ceil(rng.exponential(1 / rate, 200))
    alive = np.cumprod(np.insert(rng.random(199) > leaving, 0, True)).astype(bool)
    days = np.cumsum(gaps)[alive & (np.cumsum(gaps) <= age + HORIZON)]
    paid = rng.gamma(5, worth / 5, len(days) + 1)  # the first purchase, on day 0, is before the rest
    past = days <= age
    x = int(past.sum())
    repeats = paid[1:][past]
    return (
        float(x),
        float(days[past][-1]) if x else 0.0,
        float(paid[0] + repeats.sum()),
        float(repeats.mean()) if x else np.nan,
        float(paid[x]),
        float(paid[1:][~past].sum()),
    )
