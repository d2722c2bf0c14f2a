"""The value model: will a customer buy, and for how much, as trees correct what buy-till-you-die expects.

The value is the mean of that and of the plain answer, a regression on the features alone.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from models.ltv.btyd import Array
from models.ltv.histories import BuyTillYouDie, Histories
from models.ltv.horizon_extrapolation import HorizonExtrapolation
from models.ltv.intervals import Intervals
from models.ltv.plain import ROWS_PER_THREAD, Plain
from models.tabular import Encoder, Matrix

if TYPE_CHECKING:
    import lightgbm

YEAR = 365.0
#: Columns made here, beside the store's: chances, rates and shares, which mean the same at any age.
ESTIMATES = ("p_alive", "purchases_per_day", "value_per_purchase", "idle_share")
PRIOR = "buy_till_you_die"
PAST = "past_spend"
TOP = 5


@dataclass(frozen=True)
class Design:
    """What the boosters see of a row, what buy-till-you-die expects before them, and what past spend says.

    `encoded` are the features alone, `matrix` those and `ESTIMATES`.
    """

    encoded: Matrix
    matrix: Matrix
    histories: Histories
    past: Array
    purchases: Array
    buys: Array
    amount: Array


@dataclass(frozen=True)
class Inputs:
    """From raw feature rows to a `Design`: the encoding and the buy-till-you-die models."""

    encoder: Encoder
    btyd: BuyTillYouDie

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix."""
        return (*self.encoder.names, *ESTIMATES)

    @property
    def origins(self) -> tuple[str, ...]:
        """The feature behind each column of the matrix."""
        return (*self.encoder.origins, *ESTIMATES)

    def design(self, rows: pd.DataFrame, horizon: Array) -> Design:
        """`horizon` in days, one a row."""
        return self.design_of(self.encoder.encode(rows), horizon)

    def design_of(self, encoded: Matrix, horizon: Array) -> Design:
        """The same of rows that are encoded already."""
        histories = Histories.within(encoded, self.encoder.names)
        buys = self.btyd.buys(histories, horizon)
        purchases, worth = self.btyd.purchases(histories, horizon), self.btyd.mean_value(histories)
        idle = (histories.age - histories.t_x) / np.maximum(histories.age, 1)
        estimates = np.column_stack([self.btyd.alive(histories), purchases / horizon, worth, idle])
        matrix = np.hstack([encoded, estimates.astype(np.float32)])
        # Given that a customer buys at all, its expected spend is the whole expectation over the chance of buying.
        amount = np.log(np.maximum(purchases * worth / buys, 1e-6))
        return Design(encoded, matrix, histories, histories.past_spend(horizon), purchases, logit(buys), amount)


@dataclass(frozen=True)
class Boosters:
    """Two LightGBM models that start from buy-till-you-die: log odds of buying, log spend if so (a hurdle model)."""

    occurrence: "lightgbm.Booster"
    amount: "lightgbm.Booster"

    def answer(self, design: Design) -> tuple[Array, Array]:
        """The chance of buying within the horizon and the expected spend of one who does."""
        buys = expit(design.buys + self._raw(self.occurrence, design))
        return buys, np.exp(design.amount + self._raw(self.amount, design))

    def effects(self, design: Design, buys: Array, prior: tuple[float, float]) -> Array:
        """By how much each column, and last the prior, moved the logarithm of a row's expected value.

        The chance of buying, as answered, enters by its odds: d log p = (1 - p) d logit p.
        """
        occurrence, amount = (
            np.asarray(booster.predict(design.matrix, pred_contrib=True))[:, :-1]
            for booster in (self.occurrence, self.amount)
        )
        moved = np.column_stack([occurrence, design.buys - prior[0]]) * (1 - buys)[:, None]
        return np.asarray(moved + np.column_stack([amount, design.amount - prior[1]]))

    @staticmethod
    def _raw(booster: "lightgbm.Booster", design: Design) -> Array:
        threads = 1 if len(design.matrix) < ROWS_PER_THREAD else 0
        return np.asarray(booster.predict(design.matrix, raw_score=True, num_threads=threads), dtype=np.float64)


@dataclass(frozen=True)
class ValueModel:
    """Expected spend over `horizon` days, with what surrounds it.

    `prior` holds the mean log odds and mean log spend that buy-till-you-die expected of the customers learnt from:
    the point that `explain` counts a customer's own prior from. `extrapolation` is how far past spend is believed
    beside the boosters where the horizon reaches beyond what they learnt from. `plain` is the other half of the
    value; None in models that were made without.
    """

    inputs: Inputs
    boosters: Boosters
    intervals: Intervals
    horizon: int
    prior: tuple[float, float]
    extrapolation: HorizonExtrapolation
    plain: Plain | None = None

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """On the index of `rows`, in the currency of the transactions:

        `value`: expected spend over the horizon; `value_low`, `value_high`: its prediction interval; `value_1y`,
        `value_3y`: expected spend over 365 and 1,095 days, undiscounted, by the customer's own buy-till-you-die curve
        from the horizon on; `churn_risk`: the chance of not buying within the horizon.
        Raises `InvalidRows` naming a column that is missing or wrong.
        """
        return pd.DataFrame(self.answer(self.encoder.encode(rows)), index=rows.index)

    @property
    def encoder(self) -> Encoder:
        """What encodes raw rows for `answer`."""
        return self.inputs.encoder

    def answer(self, encoded: Matrix) -> dict[str, Array]:
        """The same of rows that the encoder has encoded."""
        design = self.inputs.design_of(encoded, self._horizon(len(encoded)))
        buys, amount = self.boosters.answer(design)
        value = self._value(design, self.extrapolation.value(buys * amount, design.past))
        low, high = self.intervals.of(value, buys)
        one, three = (value * self._growth(design, days) for days in (YEAR, 3 * YEAR))
        return {
            "value": value,
            "value_low": low,
            "value_high": high,
            "value_1y": one,
            "value_3y": three,
            "churn_risk": 1 - buys,
        }

    def explain(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`top_drivers`: what moved the logarithm of the expected value most, up or down; .69 doubles it."""
        design = self.inputs.design(rows, self._horizon(len(rows)))
        by_origin = (
            pd.DataFrame(self._effects(design).T).groupby([*self.inputs.origins, PRIOR, PAST], sort=True).sum().T
        )
        names, moved = by_origin.columns.to_numpy(), by_origin.to_numpy()
        order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :TOP]
        drivers = [
            [{"feature": str(names[k]), "effect": float(row[k])} for k in best]
            for row, best in zip(moved, order, strict=True)
        ]
        return pd.DataFrame({"top_drivers": pd.Series(drivers, index=rows.index, dtype=object)})

    def _value(self, design: Design, own: Array) -> Array:
        """The hurdle model's `own` values, combined with the plain ones."""
        if self.plain is None:
            return own
        return self.plain.combined(design.encoded, self._horizon(len(own)), own)

    def _effects(self, design: Design) -> Array:
        """By how much each column, buy-till-you-die and past spend moved the logarithm of the value.

        Past spend: exactly. The others: the effects on both halves, each weighed by its share of the value.
        """
        buys, amount = self.boosters.answer(design)
        own = buys * amount
        alone = self._value(design, own)
        extrapolation = np.log(self._value(design, self.extrapolation.value(own, design.past)) / alone)
        effects = self.boosters.effects(design, buys, self.prior)
        if self.plain is not None:
            share = (own / alone / 2)[:, None]
            plain = np.zeros_like(effects)
            plain[:, : design.encoded.shape[1]] = self.plain.effects(design.encoded)
            effects = share * effects + (1 - share) * plain
        return np.column_stack([effects, extrapolation])

    def save(self, folder: Path) -> None:
        """`occurrence.txt`, `amount.txt`, `plain.txt` (LightGBM) and `model.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.boosters.occurrence.save_model(folder / "occurrence.txt")
        self.boosters.amount.save_model(folder / "amount.txt")
        rest: dict[str, Any] = {
            "encoder": self.inputs.encoder.to_dict(),
            "btyd": self.inputs.btyd.to_dict(),
            "intervals": self.intervals.to_dict(),
            "horizon": self.horizon,
            "prior": list(self.prior),
            "extrapolation": asdict(self.extrapolation),
        }
        if self.plain is not None:
            self.plain.booster.save_model(folder / "plain.txt")
            rest["plain"] = {"most": self.plain.most, "level": self.plain.level}
        (folder / "model.json").write_text(json.dumps(rest, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote."""
        from models.lean_lightgbm import lightgbm

        rest = json.loads((folder / "model.json").read_text())
        boosters = Boosters(
            lightgbm.Booster(model_file=folder / "occurrence.txt"), lightgbm.Booster(model_file=folder / "amount.txt")
        )
        inputs = Inputs(Encoder.from_dict(rest["encoder"]), BuyTillYouDie.from_dict(rest["btyd"]))
        occurrence, amount = rest["prior"]
        intervals, extrapolation = (
            Intervals.from_dict(rest["intervals"]),
            HorizonExtrapolation(**rest.get("extrapolation", {})),
        )  # older ones have none
        plain = Plain(lightgbm.Booster(model_file=folder / "plain.txt"), **rest["plain"]) if "plain" in rest else None
        return cls(inputs, boosters, intervals, rest["horizon"], (occurrence, amount), extrapolation, plain)

    def _horizon(self, rows: int) -> Array:
        return np.full(rows, float(self.horizon))

    def _growth(self, design: Design, days: float) -> Array:
        """How many times the purchases of the horizon a customer is expected to make in so many days."""
        return self.inputs.btyd.purchases(design.histories, np.full(len(design.matrix), days)) / design.purchases
