"""Baselines of LTV: past spend, BG/NBD + Gamma-Gamma, and plain LightGBM."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.ltv.boosting import grow, plain_booster_data, tune
from models.ltv.btyd import Array
from models.ltv.fit import ENTITY, LABEL, days, newest, spend
from models.ltv.histories import Histories
from models.ltv.intervals import Intervals
from models.ltv.params import LtvParams
from models.ltv.plain import per_day
from models.tabular import Encoder, feature_columns

#: Expected spend and the chance of buying, from feature rows and the days to look ahead.
Expect = Callable[[pd.DataFrame, Array], tuple[Array, Array]]
#: Largest and smallest chance of a purchase at a spend of 1 that is searched, as the logarithm of expected purchases.
SEARCHED = (-20.0, 20.0)


@dataclass(frozen=True)
class Baseline:
    """A baseline with the same kind of intervals as the model."""

    name: str
    expect: Expect
    intervals: Intervals
    horizon: int
    fitted: dict[str, object]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`value`, `value_low`, `value_high` and `churn_risk` over the horizon."""
        value, buys = self.expect(rows, np.full(len(rows), float(self.horizon)))
        low, high = self.intervals.of(value)
        answers = {"value": value, "value_low": low, "value_high": high, "churn_risk": 1 - buys}
        return pd.DataFrame(answers, index=rows.index)

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All of the value comes from the baseline."""
        drivers = [[{"feature": self.name, "effect": float(value)}] for value in self.predict(rows)["value"]]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def save(self, folder: Path) -> None:
        """What was fitted, as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        saved = {"name": self.name, "horizon": self.horizon, "intervals": self.intervals.to_dict(), **self.fitted}
        (folder / "baseline.json").write_text(json.dumps(saved, indent=1))


def past_spend(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> Baseline:
    """A customer keeps its rate of spending; one younger than the horizon repeats its total spend."""

    def expect(rows: pd.DataFrame, horizon: Array) -> tuple[Array, Array]:
        histories = Histories.of(rows)
        idle = histories.age - histories.t_x
        return histories.past_spend(horizon), (idle <= horizon).astype(np.float64)

    return _baseline("past_spend", expect, {}, valid, params)


def bg_nbd_gamma_gamma(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> Baseline:
    """Expected purchases times their expected value, the value learnt from repeat purchases as in the literature."""
    btyd = newest(valid, repeats_only=True)

    def expect(rows: pd.DataFrame, horizon: Array) -> tuple[Array, Array]:
        histories = Histories.of(rows)
        return btyd.purchases(histories, horizon) * btyd.mean_value(histories), btyd.buys(histories, horizon)

    return _baseline("bg_nbd_gamma_gamma", expect, btyd.to_dict(), valid, params)


def lightgbm_tweedie(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, checkpoint: Path) -> Baseline:
    """LightGBM's Tweedie regression of spend per day on the same features, with early stopping on `valid`.

    The probability of no purchase is that of a Tweedie variable, exp(-c value ** .5), with c fitted to the buyers.
    """
    from scipy.optimize import brentq  # here, as what only predicts does not need it

    encoder = Encoder.fit(train[feature_columns(train, ENTITY, LABEL)])
    learn, later = (plain_booster_data(encoder.encode(rows), spend(rows), days(rows)) for rows in (train, valid))
    trees = tune(learn, later, params).num_trees()
    everything = pd.concat([train, valid], ignore_index=True)
    booster = grow(plain_booster_data(encoder.encode(everything), spend(everything), days(everything)), trees, params)

    def value(rows: pd.DataFrame, horizon: Array) -> Array:
        return per_day(booster, encoder.encode(rows)) * horizon

    root, bought = np.sqrt(value(valid, days(valid))), float(np.mean(spend(valid) > 0))

    def missed(log: float) -> float:
        return float(np.mean(-np.expm1(-np.exp(log) * root))) - bought

    pace = float(np.exp(brentq(missed, *SEARCHED))) if bought < 1 else float(np.exp(SEARCHED[1]))

    def expect(rows: pd.DataFrame, horizon: Array) -> tuple[Array, Array]:
        expected = value(rows, horizon)
        return expected, np.asarray(-np.expm1(-pace * np.sqrt(expected)))

    fitted: dict[str, object] = {"encoder": encoder.to_dict(), "trees": booster.model_to_string(), "pace": pace}
    return _baseline("lightgbm_tweedie", expect, fitted, valid, params)


def _baseline(name: str, expect: Expect, fitted: dict[str, object], valid: pd.DataFrame, params: LtvParams) -> Baseline:
    horizon = params.window.horizon_days
    value, _ = expect(valid, days(valid))
    over_horizon, _ = expect(valid, np.full(len(valid), float(horizon)))
    intervals = Intervals.fit(value, spend(valid), params.coverage, newest=over_horizon)
    return Baseline(name, expect, intervals, horizon, fitted)
