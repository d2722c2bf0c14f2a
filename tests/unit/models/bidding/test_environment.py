"""The replay against auctions held one by one, and the limit against all choices there are."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import AuctionReplay, Pricing, replay
from models.bidding.hindsight import optimum
from models.bidding.observation import Observation
from models.inputs import InvalidRows
from tests.unit.models.bidding.logs import market, single


class Table:
    """Bids what a table says for the auction that is on offer."""

    def __init__(self, bids: Floats) -> None:
        self.bids = bids

    def bid(self, seen: Observation) -> Floats:
        at = int(seen.auctions[0] - seen.remaining[0])
        return np.resize(self.bids[:, at], len(seen))


def one_by_one(episodes: Episodes, budget: Floats, bids: Floats, pricing: Pricing) -> list[list[float]]:
    """Wins, clicks and cost of every episode, auction by auction."""
    rows = []
    for episode in range(len(episodes)):
        left, wins, clicks = float(budget[episode]), 0, 0.0
        for at in range(episodes.auctions):
            bid, price = min(bids[episode, at], left), episodes.market_price[episode, at]
            if bid <= 0 or bid < price:
                continue
            left -= price if pricing == "second" else bid
            wins, clicks = wins + 1, clicks + episodes.click[episode, at]
        rows.append([wins, clicks, budget[episode] - left])
    return rows


@pytest.mark.parametrize("pricing", ["second", "first"])
def test_a_replay_is_the_auctions_held_one_by_one(pricing: Pricing) -> None:
    rng = np.random.default_rng(3)
    episodes = market(seed=3)
    bids = np.round(rng.gamma(2, 20, episodes.market_price.shape))
    budgets = np.stack([episodes.cost * share for share in (0, 0.05, 0.3, 2)])

    found = replay(episodes, budgets, Table(bids), pricing)

    for i, line in enumerate(budgets):
        expected = np.array(one_by_one(episodes, line, bids, pricing))
        np.testing.assert_allclose(np.stack([found.wins[i], found.clicks[i], found.cost[i]], axis=1), expected)


prices = arrays(np.float64, (3, 8), elements=st.floats(0, 300))
bid_tables = arrays(np.float64, (3, 8), elements=st.floats(allow_nan=True, allow_infinity=True))


@given(price=prices, bids=bid_tables, budget=arrays(np.float64, 3, elements=st.floats(0, 500)), first=st.booleans())
def test_a_budget_is_never_overspent_whatever_is_bid(price: Floats, bids: Floats, budget: Floats, first: bool) -> None:
    found = replay(single(price, np.ones_like(price)), budget, Table(bids), "first" if first else "second")

    assert (found.cost >= 0).all() and (found.cost <= budget).all()


def test_a_tie_wins_and_no_bid_does_not() -> None:
    episodes = single(np.array([[5.0, 5.0, 0.0]]), np.ones((1, 3)))

    won = replay(episodes, np.array([20.0]), Table(np.array([[5.0, 4.999, 0.0]])))

    assert won.wins.tolist() == [1] and won.cost.tolist() == [5]


@pytest.mark.parametrize("budget", [np.array([-1.0]), np.array([1.0, 2.0]), np.array([np.nan]), np.array([np.inf])])
def test_budgets_that_are_none_are_refused(budget: Floats) -> None:
    with pytest.raises(ValueError, match="budget: expected"):
        AuctionReplay(single(np.ones((1, 3)), np.ones((1, 3))), budget)


def test_lines_that_follow_one_go_on_from_its_state() -> None:
    episodes = market(seed=4)
    game = AuctionReplay(episodes, np.tile(episodes.cost, (2, 1)))
    game.settle(np.repeat([0.0, 1e9], len(episodes)))
    half = np.arange(len(episodes)) % 2

    game.follow(half)

    wins = game.observe().wins.reshape(2, -1)
    assert (wins == half).all()
    np.testing.assert_array_equal(
        game.observe().left.reshape(2, -1)[0], episodes.cost - half * episodes.market_price[:, 0]
    )


@given(arrays(np.float64, (2, 7), elements=st.sampled_from([1.0, 2.0, 3.0, 5.0])), st.integers(0, 15), st.data())
def test_hindsight_of_clicks_is_the_best_of_all_choices(price: Floats, budget: int, data: st.DataObject) -> None:
    click = data.draw(arrays(np.float64, (2, 7), elements=st.sampled_from([0.0, 1.0])))

    found = optimum(single(price, click), np.full(2, float(budget)))

    assert found.tolist() == [_best(price[i], click[i], budget) for i in range(2)]


@given(arrays(np.float64, (1, 6), elements=st.integers(1, 9)), st.integers(0, 25), st.data())
def test_hindsight_of_values_is_above_by_less_than_one_auction(price: Floats, budget: int, data: st.DataObject) -> None:
    value = data.draw(arrays(np.float64, (1, 6), elements=st.integers(0, 9)))

    found = float(optimum(single(price, value), np.array([float(budget)]))[0])

    best = _best(price[0], value[0], budget)
    assert best - 1e-9 <= found <= best + value.max()


def _best(price: Floats, value: Floats, budget: float) -> float:
    choices = (np.array(choice) for choice in product([0, 1], repeat=len(price)))
    return max(float(value @ choice) for choice in choices if price @ choice <= budget)


def test_observations_pass_through_a_frame() -> None:
    game = AuctionReplay(market(seed=5), market(seed=5).cost / 4)
    for _ in range(5):
        game.settle(np.full(len(game.left), 40.0))
    seen = game.observe()

    again = Observation.of(seen.rows())

    assert again.campaigns == seen.campaigns
    for name in ("campaign", "left", "hour", "recent_cost", "pacing_debt", "offered_value"):
        np.testing.assert_array_equal(getattr(again, name), getattr(seen, name))
    with pytest.raises(InvalidRows, match="remaining"):
        Observation.of(seen.rows().assign(remaining=0))
    with pytest.raises(InvalidRows, match="left"):
        Observation.of(seen.rows().assign(left=np.nan))
