"""Bids win, cost and bring what the auction's rules say."""

import numpy as np
import pytest

from features.simulator.opportunities import Simulator
from features.simulator.settlement import settle

OFFERED = Simulator.published("search", seed=4).day(0, 20_000)


def test_a_bid_wins_at_the_market_price_and_not_below() -> None:
    bids = OFFERED.market_price * np.resize([0.99, 1.0, 1.5, 0.0], len(OFFERED))
    outcome = settle(OFFERED, bids)
    assert np.array_equal(outcome.won, np.resize([False, True, True, False], len(OFFERED)))
    assert np.array_equal(outcome.paid, np.where(outcome.won, OFFERED.market_price, 0))
    first = settle(OFFERED, bids, "first")
    assert np.array_equal(first.won, outcome.won)
    assert np.array_equal(first.paid, np.where(outcome.won, bids, 0))


def test_only_what_is_won_is_clicked_and_converts_after_its_delay() -> None:
    odd = np.arange(len(OFFERED)) % 2 == 1
    outcome = settle(OFFERED, np.where(odd, np.inf, 0.0))
    assert outcome.click.sum() == OFFERED.click[odd].sum() > 0
    assert outcome.conversion_value.sum() == pytest.approx(OFFERED.conversion_value[odd].sum())
    converted = ~np.isnat(outcome.converted_at)
    assert converted.sum() == (OFFERED.conversion_value[odd] > 0).sum() > 0
    delay = (outcome.converted_at - OFFERED.occurred_at)[converted] / np.timedelta64(1, "h")
    assert delay == pytest.approx(OFFERED.delay_hours[converted], abs=1e-6)


def test_no_bid_wins_even_where_the_price_is_nothing() -> None:
    free = Simulator.published("search", seed=4).day(0, 3)
    free.market_price[:] = 0
    assert settle(free, np.array([0.0, -1.0, 0.1])).won.tolist() == [False, False, True]
