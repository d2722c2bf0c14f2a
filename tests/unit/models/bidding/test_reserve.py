"""Money that would bring less than was planned for its last unit is kept; what chance leaves behind is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding import market, training
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Outcome, Replay, replay
from models.bidding.fit import FITS, RATIOS, Lesson
from models.bidding.model import About, BiddingModel, Known
from models.bidding.observation import Observation
from models.bidding.policies.dial import Document
from models.bidding.reserve import CARRIED, KEPT, Reserve
from tests.unit.models.bidding.campaigns import PARAMS, split
from tests.unit.models.bidding.logs import market as drawn


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    return Lesson(drawn(seed=1, count=40, auctions=200), seed=1, checkpoint=tmp_path_factory.mktemp("lesson"))


def reserve(lesson: Lesson) -> Reserve:
    assert lesson.reserve is not None
    return lesson.reserve


def played(lesson: Lesson, policy: str, test: Episodes, kept: bool) -> Outcome:
    bidder = FITS[policy](lesson)
    return replay(test, market.budgets(lesson.markets, test, RATIOS), lesson.as_spent(bidder) if kept else bidder)


def per_spend(outcome: Outcome) -> float:
    return float(outcome.expected_value.sum() / outcome.cost.sum())


@pytest.mark.parametrize("times", [1.3, 2.0, 4.0])
def test_most_of_what_chasing_a_budget_loses_is_kept_where_prices_rose_unseen(lesson: Lesson, times: float) -> None:
    test = drawn(seed=2, count=60, auctions=200)
    dear = replace(test, market_price=times * test.market_price)
    plain, kept, linear = (
        played(lesson, *one) for one in (("pacing", dear, False), ("pacing", dear, True), ("linear", dear, False))
    )

    assert kept.cost.sum() < 0.97 * plain.cost.sum()
    assert per_spend(plain) < 0.94 * per_spend(linear)
    assert per_spend(kept) - per_spend(plain) > 0.6 * (per_spend(linear) - per_spend(plain))
    assert kept.expected_value.sum() > 0.98 * linear.expected_value.sum()


class Told:
    """The model as it bids where the feature service knows today's prices."""

    def __init__(self, lesson: Lesson, times: float) -> None:
        about = About(policy="pacing", markets=lesson.markets, usual={}, reserve=reserve(lesson))
        self.model, self.times = BiddingModel(about, FITS["pacing"](lesson)), times

    def bid(self, seen: Observation) -> Floats:
        price = self.times * market.prices(self.model.about.markets, seen)
        return self.model.bid(seen, Known.told(price, np.full(len(seen), 1e9)))


@pytest.mark.parametrize("times", [1.3, 2.0])
def test_where_prices_are_known_to_have_risen_money_buys_about_what_it_does_by_a_fixed_rule(
    lesson: Lesson, times: float
) -> None:
    test = drawn(seed=2, count=60, auctions=200)
    dear = replace(test, market_price=times * test.market_price)
    linear = played(lesson, "linear", dear, False)
    told = replay(dear, market.budgets(lesson.markets, dear, RATIOS), Told(lesson, times))

    assert per_spend(told) >= 0.96 * per_spend(linear)
    assert told.cost.sum() > 0.9 * linear.cost.sum()


def test_where_prices_are_as_they_were_hardly_anything_is_kept(lesson: Lesson) -> None:
    test = drawn(seed=2, count=60, auctions=200)
    plain, kept = (played(lesson, "pacing", test, kept) for kept in (False, True))

    assert kept.expected_value.sum() > 0.98 * plain.expected_value.sum()
    assert per_spend(kept) > per_spend(plain)


def test_prices_known_to_have_risen_leave_the_planned_multiplier(lesson: Lesson) -> None:
    test = drawn(seed=2, count=3, auctions=200)
    seen = Replay(test, market.budgets(lesson.markets, test, [1 / 8])[0]).observe()
    multipliers = {name: known.multipliers for name, known in lesson.markets.items()}
    price = market.prices(lesson.markets, seen)
    planned = market.at_pace(multipliers, seen, seen.pace / price)

    for level in (1.5, 3.0):
        then = reserve(lesson).spendable(lesson.markets, seen, np.full(len(seen), level))
        now = level * market.at_pace(multipliers, seen, then.pace / price / level)
        assert now == pytest.approx(planned, rel=0.01)
        assert (then.budget < seen.budget).all() and (then.left == then.budget).all()
    cheap = reserve(lesson).spendable(lesson.markets, seen, np.full(len(seen), 0.5))
    assert cheap.budget == pytest.approx(seen.budget)


def behind(lesson: Lesson, deviations: float) -> tuple[Observation, Observation]:
    """Half-way, so many standard deviations of logged episodes behind an even pace; before and after the reserve."""
    test = drawn(seed=2, count=3, auctions=200)
    game = Replay(test, market.budgets(lesson.markets, test, [1 / 8])[0])
    seen = game.observe()
    half = replace(seen, remaining=seen.auctions / 2)
    price = market.prices(lesson.markets, seen)
    one = reserve(lesson)._deviation(half, half.budget / half.auctions / price) * price
    half = replace(half, left=half.budget / 2 + deviations * one)
    return half, reserve(lesson).spendable(lesson.markets, half)


def test_what_chance_leaves_behind_is_carried_on_and_what_it_does_not_is_kept(lesson: Lesson) -> None:
    for deviations in (-0.5, 0.0, 0.5, CARRIED):
        before, after = behind(lesson, deviations)
        assert after.left == pytest.approx(before.left)
    for deviations in (KEPT, 10.0):
        before, after = behind(lesson, deviations)
        assert after.left == pytest.approx(before.budget / 2)
    before, after = behind(lesson, (CARRIED + KEPT) / 2)
    assert ((after.left > before.budget / 2) & (after.left < before.left)).all()


def test_days_that_stray_further_by_themselves_are_carried_on_further() -> None:
    steady = drawn(seed=1, count=40, auctions=200)
    moody = replace(steady, market_price=steady.market_price * np.tile([0.5, 2.0], len(steady) // 2)[:, None])
    spread = {}
    for name, log in (("steady", steady), ("moody", moody)):
        spread[name] = Reserve.fit(log, market.fit(log), RATIOS).spread["north"]
    assert spread["moody"][50] > 2 * spread["steady"][50]


def test_a_reserve_goes_on_knowing_campaigns_that_nothing_new_is_told_of(lesson: Lesson) -> None:
    north = drawn(seed=5, count=20, auctions=200).of("north")
    later = Reserve.fit(north, market.fit(north, before=lesson.markets), RATIOS, reserve(lesson))
    assert later.spread["south"] == reserve(lesson).spread["south"]
    assert later.spread["north"] != reserve(lesson).spread["north"]


def test_a_model_keeps_what_its_setting_says_and_is_read_back_the_same(rows: pd.DataFrame, tmp_path: Path) -> None:
    train, test = split(rows, "train"), split(rows, "test").assign(auctions_7d=1e12)
    bids = {}
    for spend in ("worthwhile", "all"):
        params = PARAMS.model_copy(update={"spend": spend})
        model = training.baseline("pacing")(train, train.head(0), params, tmp_path)
        assert isinstance(model, BiddingModel) and (model.about.reserve is None) == (spend == "all")
        model.save(tmp_path / spend)
        again = BiddingModel.load(tmp_path / spend)
        bids[spend] = model.predict(test.assign(price_7d=test["price_7d"] * 3))["bid"]
        pd.testing.assert_series_equal(again.predict(test.assign(price_7d=test["price_7d"] * 3))["bid"], bids[spend])
    assert (bids["worthwhile"] <= bids["all"] + 1e-9).all() and bids["worthwhile"].sum() < 0.9 * bids["all"].sum()
    assert issubclass(Reserve, Document)
