"""What is to be beaten: past spend, which needs no model, and the field's own BG/NBD + Gamma-Gamma."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.ltv.btyd import Array
from models.ltv.fit import days, newest, spend
from models.ltv.histories import BuyTillYouDie, Histories
from models.ltv.intervals import Intervals
from models.ltv.params import LtvParams

#: Expected spend and the chance of buying, from histories and the days to look ahead.
Expect = Callable[[Histories, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Baseline:
    """An answer from a customer's purchases alone; its intervals come the same way as the model's."""

    name: str
    expect: Expect
    intervals: Intervals
    horizon: int
    fitted: dict[str, object]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`value`, `value_low`, `value_high` and `churn_risk` over the horizon."""
        value, buys = self.expect(Histories.of(rows), np.full(len(rows), float(self.horizon)))
        low, high = self.intervals.of(value, value)
        answers = {"value": value, "value_low": low, "value_high": high, "churn_risk": 1 - buys}
        return pd.DataFrame(answers, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All of the value comes from the purchases."""
        drivers = [[{"feature": self.name, "effect": float(value)}] for value in self.predict(rows)["value"]]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def save(self, folder: Path) -> None:
        """What was fitted, as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        saved = {"name": self.name, "horizon": self.horizon, "intervals": self.intervals.to_dict(), **self.fitted}
        (folder / "baseline.json").write_text(json.dumps(saved, indent=1))


def past_spend(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> Baseline:
    """A customer goes on spending at its own rate; one younger than the horizon spends again what it has spent."""

    def expect(histories: Histories, horizon: Array) -> tuple[Array, Array]:
        idle = histories.age - histories.t_x
        return histories.past_spend(horizon), (idle <= horizon).astype(np.float64)

    return _baseline("past_spend", expect, {}, valid, params)


def bg_nbd_gamma_gamma(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> Baseline:
    """Expected purchases times their expected value, the value learnt from repeat purchases as in the literature."""
    btyd = newest(valid, repeats_only=True)
    return _baseline("bg_nbd_gamma_gamma", _expected(btyd), btyd.to_dict(), valid, params)


def _expected(btyd: BuyTillYouDie) -> Expect:
    def expect(histories: Histories, horizon: Array) -> tuple[Array, Array]:
        return btyd.purchases(histories, horizon) * btyd.mean_value(histories), btyd.buys(histories, horizon)

    return expect


def _baseline(name: str, expect: Expect, fitted: dict[str, object], valid: pd.DataFrame, params: LtvParams) -> Baseline:
    value, _ = expect(Histories.of(valid), days(valid))
    intervals = Intervals.fit(value, value, spend(valid), params.coverage)
    return Baseline(name, expect, intervals, params.window.horizon_days, fitted)
