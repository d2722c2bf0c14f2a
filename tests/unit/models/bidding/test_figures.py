"""From bids to figures and verdicts, by hand count."""

import numpy as np
import pandas as pd
import pytest

from models.bidding import frame
from models.bidding.metrics import METRICS, TOTALS
from models.bidding.model import BiddingModel, trial
from models.bidding.verdicts import never_overspends, value_is_calibrated
from models.evaluation import bootstrap
from models.evaluation.gates import Evidence
from tests.unit.models.bidding.campaigns import split

TRUTH = pd.DataFrame(
    {
        "episode": [0, 0, 1, 1],
        "market_price": [2.0, 4.0, 1.0, 9.0],
        "click": [1.0, 0.0, 1.0, 1.0],
        "value": [1.0, 0.0, 1.0, 1.0],
        "optimal": [1.0, 0.0, 1.0, 0.0],
        "price_in_pace": [0.5, 1.0, 0.25, 2.25],
        "bid_in_pace": 0.0,
    }
)
ANSWERS = pd.DataFrame({"bid": [2.0, 5.0, 0.5, 9.0], "expected_value": [0.5, 0.5, 1.0, 1.0]})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("share_of_hindsight", 2 / 2),
        ("value_per_spend", 1000 * 2 / 3.75),
        ("clicks_per_mille", 500),
        ("win_rate", 3 / 4),
        ("budget_use", 3.75 / 4),
        ("clicks", 2),
        ("cost", 15),
        ("wins", 3),
    ],
)
def test_figures_by_hand(name: str, expected: float) -> None:
    metric = next(metric for metric in (*METRICS, *TOTALS) if metric.name == name)
    assert metric.measure(TRUTH, ANSWERS) == pytest.approx(expected)
    # An episode drawn twice is its rows twice.
    first = [0, 1, 0, 1]
    twice = TRUTH.iloc[first].assign(episode=[0, 0, 1, 1])
    drawn = metric.resample(TRUTH, ANSWERS, np.array([[2.0, 0.0]]))
    assert drawn[0] == pytest.approx(metric.measure(twice, ANSWERS.iloc[first]))


def test_no_bid_wins_nothing_even_at_no_price() -> None:
    free, none = TRUTH.assign(market_price=0.0), ANSWERS.assign(bid=0.0)
    assert METRICS[3].measure(free, none) == 0


def test_intervals_are_over_episodes(rows: pd.DataFrame, model: BiddingModel) -> None:
    """Rows that hang together say less than their number: a hundred copies of an episode are one episode."""
    test = split(rows, "test")
    answers = trial(model, test)
    copies = pd.concat([test] * 4, ignore_index=True), pd.concat([answers] * 4, ignore_index=True)
    one = bootstrap.interval(METRICS[3], test[list(frame.LABEL)], answers, 1)
    four = bootstrap.interval(METRICS[3], *copies, 1)
    assert (one.low, one.high) == pytest.approx((four.low, four.high))
    assert one.low < one.value < one.high


def evidence(truth: pd.DataFrame, answers: pd.DataFrame) -> Evidence:
    return Evidence(truth, truth, answers, {"mcpc": answers}, None, truth, METRICS[0], (), 1)


def test_spending_more_than_the_budget_is_refused(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test")
    truth, answers = test[list(frame.LABEL)], trial(model, test)
    passed = never_overspends(evidence(truth, answers))
    assert passed.passed and passed.figures["most"] > 0.5
    refused = never_overspends(evidence(truth, answers.assign(bid=1e9)))
    assert not refused.passed and refused.figures["over"] > 0


def test_values_that_do_not_come_true_are_refused(rows: pd.DataFrame, model: BiddingModel) -> None:
    test = split(rows, "test")
    truth, answers = test[list(frame.LABEL)], trial(model, test)
    assert value_is_calibrated(evidence(truth, answers)).passed
    assert not value_is_calibrated(evidence(truth, answers.assign(expected_value=answers["expected_value"] * 3))).passed
