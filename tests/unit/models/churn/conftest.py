"""A small made-up business, some of whose customers leave."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.examples import Window
from models.churn import ChurnModel, ChurnParams
from models.churn.training import fit


@pytest.fixture(scope="session")
def params() -> ChurnParams:
    window = Window(horizon_days=28, step_days=28, min_history_days=84)
    return ChurnParams(seed=3, window=window, folds=2, trees=10, rounds=20, steps=60)


@pytest.fixture(scope="session")
def whole() -> pd.DataFrame:
    """Two rows a customer, four weeks apart; who is silent longer leaves more often."""
    rng = np.random.default_rng(0)
    customers, rows = 300, 600
    recency = rng.exponential(20, rows)
    plan = rng.choice(["basic", "gold", None], rows)
    chance = 1 / (1 + np.exp(-(recency / 15 - 2 - (plan == "gold"))))
    return pd.DataFrame(
        {
            "customer_id": np.tile([f"c{i}" for i in range(customers)], 2),
            "event_timestamp": np.repeat(pd.to_datetime(["2024-01-01", "2024-01-29"]), customers),
            "split": np.repeat(["train", "valid"], customers),
            "churned": (rng.random(rows) < chance).astype(int),
            "recency_days": np.where(rng.random(rows) < 0.1, np.nan, recency),
            "spend": rng.lognormal(3, 1, rows),
            "plan": plan,
            "subscribed": rng.random(rows) < 0.5,
        }
    )


@pytest.fixture(scope="session")
def train(whole: pd.DataFrame) -> pd.DataFrame:
    return whole[whole["split"] == "train"]


@pytest.fixture(scope="session")
def valid(whole: pd.DataFrame) -> pd.DataFrame:
    return whole[whole["split"] == "valid"]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint that `model` was fitted with. To be copied."""
    return tmp_path_factory.mktemp("checkpoint")


@pytest.fixture(scope="session")
def model(train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, kept: Path) -> ChurnModel:
    return fit(train, valid, params, kept)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"
