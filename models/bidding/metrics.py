"""Bidding metrics: ratios of sums over auctions, which are won where the bid reaches the market price."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from models.evaluation.metrics import Array, Metric

#: Function from truth and answers to an amount per row.
Amount = Callable[[pd.DataFrame, pd.DataFrame], Array]


def won(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    """1 where the auction is won, else 0."""
    bid = answers["bid"].to_numpy(dtype=float)
    return np.asarray((bid >= truth["market_price"].to_numpy(dtype=float)) & (bid > 0), dtype=float)


def paid(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    """Cost of each auction in units of the budget per auction: the market price, or the winner's bid."""
    return _price(truth, answers, truth["price_in_pace"], truth["bid_in_pace"])


def _cost(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return _price(truth, answers, truth["market_price"], (truth["bid_in_pace"] > 0).astype(float))


def _price(truth: pd.DataFrame, answers: pd.DataFrame, others: pd.Series, own: pd.Series) -> Array:
    """The competing price, or `own` per unit of bid where that is above 0."""
    return np.asarray(won(truth, answers) * np.where(own > 0, own * answers["bid"], others), dtype=float)


def _of_won(label: str) -> Amount:
    return lambda truth, answers: won(truth, answers) * np.nan_to_num(truth[label].to_numpy(dtype=float))


def _best(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return np.asarray(truth["optimal"] * truth["value"], dtype=float)


def _each(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return np.ones(len(truth))


def _spent(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    """Cost in units of the budget for 1,000 auctions, which is comparable across campaigns and currencies."""
    return paid(truth, answers) / 1000


def _thousandth(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return np.full(len(truth), 1 / 1000)


def ratio(name: str, above: Amount, below: Amount, answer: str = "bid") -> Metric:
    """Ratio of the sums of two amounts; the bootstrap resamples whole episodes, as their auctions are dependent."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        _, episode = np.unique(truth["episode"].to_numpy(), return_inverse=True)
        top, bottom = (weights @ np.bincount(episode, part(truth, answers)) for part in (above, below))
        figures: Array = np.divide(top, bottom, out=np.full(len(weights), np.nan), where=bottom > 0)
        return figures

    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(resample(truth, answers, np.ones((1, truth["episode"].nunique())))[0])

    return Metric(name, measure, resample=resample, answer=answer, unit="episode")


def _expected(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return np.asarray(np.where(truth["value"].notna(), answers["expected_value"], 0.0))


def _came(truth: pd.DataFrame, answers: pd.DataFrame) -> Array:
    return np.asarray(np.nan_to_num(truth["value"].to_numpy(dtype=float)))


#: Realized value over expected value of the auctions whose value is known: won or not in a replay, else the won ones.
CALIBRATION = ratio("came_of_expected", _came, _expected, "expected_value")


def _sum(name: str, amount: Amount, higher_is_better: bool = True) -> Metric:
    """The sum of an amount; the bootstrap resamples whole episodes."""

    def resample(truth: pd.DataFrame, answers: pd.DataFrame, weights: Array) -> Array:
        _, episode = np.unique(truth["episode"].to_numpy(), return_inverse=True)
        return np.asarray(weights @ np.bincount(episode, amount(truth, answers)))

    def measure(truth: pd.DataFrame, answers: pd.DataFrame) -> float:
        return float(amount(truth, answers).sum())

    return Metric(name, measure, higher_is_better, resample, answer="bid", unit="episode")


METRICS = (
    ratio("share_of_hindsight", _of_won("value"), _best),
    ratio("value_per_spend", _of_won("value"), _spent),
    ratio("clicks_per_mille", _of_won("click"), _thousandth),
    ratio("win_rate", won, _each),
    ratio("budget_use", paid, _each),
    CALIBRATION,
)
#: What `adloop evaluate` tells of each campaign and budget; cost in the log's currency.
TOTALS = (
    _sum("clicks", _of_won("click")),
    _sum("cost", _cost, higher_is_better=False),
    _sum("wins", won),
    METRICS[0],
)
