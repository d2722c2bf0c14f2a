"""Where winners pay what they bid, bids are shaded, all through the family; where they do not, nothing changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.bidding import frame, market, training
from models.bidding.auctions import Floats
from models.bidding.environment import AuctionReplay, replay
from models.bidding.examples import examples
from models.bidding.fit import FITS, RATIOS, TrainingData, held_out
from models.bidding.metrics import METRICS, TOTALS, paid, won
from models.bidding.model import BiddingModel, trial
from models.bidding.params import BiddingParams
from models.bidding.policies.rlb import Rlb
from models.bidding.shading import play, priced
from tests.unit.models.bidding import logs
from tests.unit.models.bidding.campaigns import LENGTH, PARAMS, SECTION, log, split, tables
from tests.unit.models.bidding.test_policies import SHORT

FIRST = BiddingParams.read({**SECTION, "pricing": "first"})


def shades(prices: Floats, worth: Floats) -> Floats:
    """What is bid for these worths in a market of these prices."""
    known = market.fit(logs.single(prices, np.ones_like(prices)), pricing="first")
    seen = AuctionReplay(logs.single(np.ones((len(worth), 1)), np.ones((len(worth), 1))), np.ones(len(worth))).observe()
    return market.shaded(known, seen, worth)


def test_the_best_bid_for_even_prices_is_half_of_what_winning_is_worth() -> None:
    # Of prices even between 0 and 1, (w - b) b is highest at b = w / 2 until the dearest is bought.
    worth = np.array([0.1, 0.3, 0.7, 1.4, 2.5, 80.0])
    found = shades(np.random.default_rng(1).random((200, 1000)), worth)
    assert found == pytest.approx([0.05, 0.15, 0.35, 0.7, 1.0, 1.0], rel=0.06)


def test_a_shaded_bid_rises_with_its_worth_and_never_above_it() -> None:
    worth = np.geomspace(1e-3, 1e5, 500)
    found = shades(logs.market(seed=1).market_price, worth)
    assert (np.diff(found) >= -1e-9).all() and (found <= worth).all() and found.max() < worth.max() / 100


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainingData]:
    episodes, folder = logs.market(seed=1, count=40), tmp_path_factory.mktemp("datasets")
    return {
        "second": TrainingData(episodes, 3, folder / "second", schedule=SHORT),
        "first": TrainingData(episodes, 3, folder / "first", schedule=SHORT, pricing="first"),
    }


@pytest.mark.parametrize("name", ["linear", "ortb", "pid", "pacing"])
def test_policies_win_more_when_they_shade_their_bids(name: str, datasets: dict[str, TrainingData]) -> None:
    held, markets = logs.market(seed=9, count=200), datasets["first"].markets
    budget = market.budgets(markets, held, RATIOS)
    shaded = play(held, budget, FITS[name](datasets["first"]), markets)
    unshaded = replay(held, budget, FITS[name](datasets["second"]), "first")
    assert (shaded.cost <= budget).all()
    assert shaded.value.sum() > 1.05 * unshaded.value.sum()


def test_pacing_spends_its_budget_at_the_prices_it_pays(datasets: dict[str, TrainingData]) -> None:
    held, markets = logs.market(seed=6, count=300, auctions=200), datasets["first"].markets
    budget = market.budgets(markets, held, [1 / 8])
    outcome = play(held, budget, FITS["pacing"](datasets["first"]), markets)
    assert 0.95 < outcome.cost.sum() / budget.sum() <= 1


def test_a_plan_promises_what_shaded_bids_win() -> None:
    learnt, held = (logs.market(seed, count=150, auctions=200) for seed in (1, 6))
    won, promised = {}, {}
    for pricing in ("first", "second"):
        markets = market.fit(learnt, pricing=pricing)
        policy = Rlb.fit(learnt, markets, calibrated=True)
        budget = market.budgets(markets, held, [1 / 8])[0]
        seen = AuctionReplay(held, budget).observe()
        price, value = (np.array([getattr(markets[name], one) for name in held.campaign]) for one in ("price", "value"))
        promised[pricing] = (policy.plans.prospect(seen, price) * value).sum()
        won[pricing] = play(held, budget, policy, markets).value.sum()
    assert won["first"] == pytest.approx(promised["first"], rel=0.06)
    assert promised["second"] > 1.15 * promised["first"]


def test_second_price_bids_are_left_alone(datasets: dict[str, TrainingData]) -> None:
    policy, markets = FITS["pacing"](datasets["second"]), datasets["second"].markets
    assert priced(policy, markets) is policy
    assert all(not known.shades for known in markets.values())


def test_candidates_are_judged_at_the_prices_they_would_pay(tmp_path: Path) -> None:
    few = TrainingData(logs.market(seed=1, count=12), 3, tmp_path / "second", schedule=SHORT)
    dear, cheap = map(held_out, (replace(few, checkpoint=tmp_path / "first", pricing="first"), few))
    assert all(0 < sum(dear[name]) < sum(cheap[name]) for name in dear)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, BiddingModel]:
    made = examples(tables(log(), tmp_path_factory.mktemp("log")), FIRST)
    made = made.assign(price_7d=made["market_price"].mean(), auctions_7d=0.0)
    train = split(made, "train")
    return made, training.baseline("pacing")(train, train.head(0), FIRST, tmp_path_factory.mktemp("checkpoint"))


def test_examples_say_what_a_bid_costs_and_are_those_of_one_who_shades(
    first: tuple[pd.DataFrame, BiddingModel], tmp_path: Path
) -> None:
    made, second = first[0], examples(tables(log(), tmp_path), PARAMS)
    assert made["bid_in_pace"].to_numpy() == pytest.approx((LENGTH / made["budget"]).to_numpy())
    assert (second["bid_in_pace"] == 0).all()
    same = ["market_price", "optimal", "price_in_pace", "budget"]
    pd.testing.assert_frame_equal(made[same], second[same])
    assert (made["left"] >= 0).all() and not made["left"].equals(second["left"])


def test_winners_pay_what_they_bid_in_every_figure(first: tuple[pd.DataFrame, BiddingModel]) -> None:
    made, model = first
    test = split(made, "test")
    answers = trial(model, test)
    truth = test[list(frame.LABEL)]
    cost = next(metric for metric in TOTALS if metric.name == "cost").measure(truth, answers)
    assert cost == pytest.approx((won(truth, answers) * answers["bid"]).sum())
    use = pd.Series(paid(truth, answers)).groupby(truth["episode"]).mean()
    assert use.mean() > 0.3 and use.max() <= 1 + 1e-9
    assert METRICS[1].measure(truth, answers) > 0


def test_a_model_shades_alike_after_it_was_saved(first: tuple[pd.DataFrame, BiddingModel], tmp_path: Path) -> None:
    made, model = first
    rows = split(made, "test").head(200)
    model.save(tmp_path)
    again = BiddingModel.load(tmp_path)
    bids = model.predict(rows)["bid"]
    pd.testing.assert_series_equal(again.predict(rows)["bid"], bids)
    worth = BiddingModel(model.about.model_copy(update={"markets": _unshaded(model)}), model.policy).predict(rows)[
        "bid"
    ]
    assert (bids <= worth).all() and (bids < 0.9 * worth).mean() > 0.5


def _unshaded(model: BiddingModel) -> dict[str, market.Market]:
    return {name: known.model_copy(update={"shades": ()}) for name, known in model.about.markets.items()}
