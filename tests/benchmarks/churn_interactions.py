"""Customers who use less before they leave: churn with the table of interactions, beside the same customers without."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.frame import Frame
from features.settings import Settings
from models.churn import FAMILY, ChurnParams
from models.evaluation import bootstrap
from models.family import Fit
from tests.benchmarks.churn import METRICS, featurized

CUSTOMERS, DAYS, SEED = 1500, 300, 0
START = pd.Timestamp("2025-01-01")
#: Days before the last purchase from which on a customer uses less, and the share of use that is left.
WARNING, LEFT = 42, 0.3


def rows(settings: Settings) -> list[dict[str, Any]]:
    """AUC on the same held-out customers, and the paired gain."""
    with tempfile.TemporaryDirectory() as folder:
        truth, answers, about = compared(Path(folder), CUSTOMERS, settings, FAMILY.fit)
    auc = METRICS["auc"]
    reached = bootstrap.interval(auc, truth, answers["with"], SEED)
    told = {"seed": SEED, "data_hash": about, "unit": "simulated customers whose use falls before they leave"}
    return [
        {"name": "churn.interactions.auc", **vars(reached), "baseline": auc.measure(truth, answers["without"])} | told,
        {
            "name": "churn.interactions.auc_gain",
            **vars(bootstrap.gain(auc, truth, answers["with"], answers["without"], SEED)),
            "goal": "> 0",
        }
        | told
        | {"unit": "AUC above that without the table, paired"},
    ]


def compared(
    folder: Path, customers: int, settings: Settings, fit: Fit, params: ChurnParams | None = None
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], str]:
    """The held-out customers, what is answered `with` and `without` the table, and the hash of the data."""
    shop(folder / "with", customers)
    shop(folder / "without", customers)
    (folder / "without" / "interactions.parquet").unlink()
    answers, truth, about = {}, pd.DataFrame(), ""
    for name in ("without", "with"):
        frame, written = featurized(str(folder / name), folder / f"{name}_home", settings)
        answers[name] = _answers(frame, params or written, fit, folder / f"{name}_checkpoint")
        truth, about = frame.split("test"), frame.about["data_hash"]
    return truth, answers, about


def _answers(frame: Frame, params: ChurnParams, fit: Fit, checkpoint: Path) -> pd.DataFrame:
    learn, tune, test = (frame.split(name) for name in ("train", "valid", "test"))
    return fit(learn, tune, params, checkpoint).predict(test[frame.columns])


def shop(folder: Path, customers: int) -> None:
    """Customers who buy about once in ten days and log in every other day; those about to leave log in less."""
    rng = np.random.default_rng(SEED)
    joined = rng.uniform(0, 60, customers)
    leaves = joined + 60 + rng.exponential(250, customers)
    bought, met = [], []
    for who in range(customers):
        ends, rate = min(leaves[who], DAYS), rng.gamma(20, 0.1 / 20)
        days = joined[who] + np.cumsum(rng.exponential(1 / rate, 80))
        bought += [(who, day, rng.gamma(3, 10)) for day in [joined[who], *days[days < ends]]]
        logins = joined[who] + np.cumsum(rng.exponential(2, 200))
        kept = (logins < leaves[who] - WARNING) | (rng.random(200) < LEFT)
        met += [(who, day) for day in logins[kept & (logins < ends)]]
    folder.mkdir(parents=True)
    orders = pd.DataFrame(bought, columns=["customer_id", "day", "amount"])
    events = pd.DataFrame(met, columns=["customer_id", "day"]).assign(kind="login", value=np.nan)
    for name, frame in {"transactions": orders, "interactions": events}.items():
        moments = START + pd.to_timedelta((frame.pop("day") * 86400).astype(int), unit="s")
        frame.assign(customer_id="c" + frame["customer_id"].astype(str), occurred_at=moments).sort_values(
            ["occurred_at", "customer_id"]
        ).to_parquet(folder / f"{name}.parquet", index=False, coerce_timestamps="us")
    everyone = pd.DataFrame({"customer_id": [f"c{who}" for who in range(customers)]})
    everyone.to_parquet(folder / "customers.parquet", index=False)
