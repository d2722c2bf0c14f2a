"""Money that would bring less than was planned for its last unit is kept where prices are known to have risen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding import market, training
from models.bidding.auctions import Floats
from models.bidding.environment import AuctionReplay, Policy, ReplayOutcome, replay
from models.bidding.fit import FITS, RATIOS, TrainingData
from models.bidding.model import About, BiddingModel, CampaignPrices
from models.bidding.observation import Observation
from models.bidding.reserve import Spend, spendable
from tests.unit.models.bidding.campaigns import PARAMS, split
from tests.unit.models.bidding.logs import market as drawn


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return TrainingData(drawn(seed=1, count=40, auctions=200), seed=1, checkpoint=tmp_path_factory.mktemp("data"))


def per_spend(outcome: ReplayOutcome) -> float:
    return float(outcome.expected_value.sum() / outcome.cost.sum())


class Told:
    """The model as it bids where the feature service knows today's prices."""

    def __init__(self, data: TrainingData, times: float, spend: Spend) -> None:
        about = About(policy="pacing", markets=data.markets, usual={}, spend=spend)
        self.model, self.times = BiddingModel(about, FITS["pacing"](data)), times

    def bid(self, seen: Observation) -> Floats:
        price = self.times * market.prices(self.model.about.markets, seen)
        return self.model.bid(seen, CampaignPrices.of_arrays(price, np.full(len(seen), 1e9)))


def played(data: TrainingData, policy: Policy, times: float) -> ReplayOutcome:
    test = drawn(seed=2, count=60, auctions=200)
    dear = replace(test, market_price=times * test.market_price)
    return replay(dear, market.budgets(data.markets, dear, RATIOS), policy)


@pytest.mark.parametrize("times", [1.3, 2.0, 4.0])
def test_where_prices_are_known_to_have_risen_a_budget_is_not_chased(data: TrainingData, times: float) -> None:
    linear = played(data, FITS["linear"](data), times)
    kept, chased = (played(data, Told(data, times, spend), times) for spend in ("worthwhile", "all"))

    assert kept.cost.sum() < 0.97 * chased.cost.sum()
    assert per_spend(kept) > per_spend(chased)
    assert per_spend(linear) - per_spend(kept) < 0.5 * (per_spend(linear) - per_spend(chased))


@pytest.mark.parametrize("times", [0.5, 1.0])
def test_where_prices_have_not_risen_nothing_is_kept(data: TrainingData, times: float) -> None:
    kept, chased = (played(data, Told(data, times, spend), times) for spend in ("worthwhile", "all"))
    assert kept.cost.sum() == pytest.approx(chased.cost.sum())
    assert kept.expected_value.sum() == pytest.approx(chased.expected_value.sum())


def test_prices_known_to_have_risen_leave_the_planned_multiplier(data: TrainingData) -> None:
    test = drawn(seed=2, count=3, auctions=200)
    seen = AuctionReplay(test, market.budgets(data.markets, test, [1 / 8])[0]).observe()
    multipliers = {name: known.multipliers for name, known in data.markets.items()}
    price = market.prices(data.markets, seen)
    planned = market.at_pace(multipliers, seen, seen.pace / price)

    for level in (1.5, 3.0):
        then = spendable(data.markets, seen, np.full(len(seen), level))
        now = level * market.at_pace(multipliers, seen, then.pace / price / level)
        assert now == pytest.approx(planned, rel=0.01)
        assert (then.budget < seen.budget).all() and (then.left == then.budget).all()
    cheap = spendable(data.markets, seen, np.full(len(seen), 0.5))
    assert cheap.budget == pytest.approx(seen.budget)


def test_a_model_keeps_what_its_setting_says_and_is_read_back_the_same(rows: pd.DataFrame, tmp_path: Path) -> None:
    train, test = split(rows, "train"), split(rows, "test").assign(auctions_7d=1e12)
    dear, bids = test.assign(price_7d=test["price_7d"] * 3), {}
    for spend in ("worthwhile", "all"):
        params = PARAMS.model_copy(update={"spend": spend})
        model = training.baseline("pacing")(train, train.head(0), params, tmp_path)
        assert isinstance(model, BiddingModel) and model.about.spend == spend
        model.save(tmp_path / spend)
        bids[spend] = model.predict(dear)["bid"]
        pd.testing.assert_series_equal(BiddingModel.load(tmp_path / spend).predict(dear)["bid"], bids[spend])
    assert (bids["worthwhile"] <= bids["all"] + 1e-9).all() and bids["worthwhile"].sum() < 0.9 * bids["all"].sum()
