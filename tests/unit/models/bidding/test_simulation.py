"""Simulated episodes are days of the simulator, and days are the same in whatever run they are drawn."""

import numpy as np
import pytest

from features.simulator.campaigns import Shift
from features.simulator.opportunities import Simulator
from models.bidding.auctions import ARRAYS
from models.bidding.simulation import episodes

SIMULATOR = Simulator.published("search", seed=6)


def test_an_episode_is_a_day() -> None:
    drawn = episodes(SIMULATOR, count=9, auctions=300, first_day=2)
    day = SIMULATOR.day(4, 300)
    assert (len(drawn), drawn.auctions, drawn.campaigns) == (9, 300, ["search"])
    assert drawn.channels == ("desktop", "mobile", "video")
    assert drawn.weekday[:, 0].tolist() == [2, 3, 4, 5, 6, 0, 1, 2, 3]
    assert np.array_equal(drawn.market_price[2], day.market_price)
    assert np.array_equal(drawn.value[2], day.conversion_value)
    assert np.array_equal(drawn.expected_value[2], day.predicted_value)
    assert drawn.click.sum() > 0
    assert (drawn.value > 0).sum() > 0


def test_the_same_days_are_drawn_again() -> None:
    long, short = episodes(SIMULATOR, 5, 100), episodes(Simulator.published("search", seed=6), 2, 100, first_day=3)
    assert all(np.array_equal(getattr(long.select(slice(3, None)), name), getattr(short, name)) for name in ARRAYS)


def test_a_shift_reaches_the_episodes_after_it() -> None:
    shifted = Simulator.published("search", seed=6, shifts=(Shift(from_day=2, price=1.5),))
    plain, dear = episodes(SIMULATOR, 4, 100), episodes(shifted, 4, 100)
    assert dear.cost / plain.cost == pytest.approx([1, 1, 1.5, 1.5])
    assert np.array_equal(plain.click, dear.click)


def test_expected_values_are_what_conversions_come_to_and_change_nothing_else() -> None:
    came, expected = episodes(SIMULATOR, 40, 2000), episodes(SIMULATOR, 40, 2000, expected=True)
    assert all(np.array_equal(getattr(came, name), getattr(expected, name)) for name in ARRAYS if name != "value")
    by_day = came.value.sum(axis=1)
    error = by_day.std() / len(by_day) ** 0.5
    assert abs(by_day.mean() - expected.value.sum(axis=1).mean()) < 4 * error
    assert expected.value.sum(axis=1).std() < by_day.std() / 4


def test_no_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 episode"):
        episodes(SIMULATOR, 0, 100)
