"""Every policy is a pure function of what it is shown, is written down and read back, and keeps its promises."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from models.bidding import market as markets
from models.bidding.auctions import Floats
from models.bidding.dqn.training import Schedule
from models.bidding.environment import AuctionReplay, replay
from models.bidding.evaluation import compare
from models.bidding.fit import FITS, LOADS, RATIOS, SavablePolicy, TrainingData
from models.bidding.observation import Observation
from models.bidding.planning import highest_bid, plan
from models.bidding.policies.chance import draw
from models.bidding.policies.dqn import Dqn
from models.inputs import InvalidRows
from tests.unit.models.bidding.logs import market

SHORT = Schedule(rounds=2, episodes=3, steps=5)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return TrainingData(market(seed=1), seed=3, checkpoint=tmp_path_factory.mktemp("data"), schedule=SHORT)


@pytest.fixture(scope="module")
def policies(data: TrainingData) -> dict[str, SavablePolicy]:
    return {name: fit(data) for name, fit in FITS.items()}


@lru_cache
def seen() -> Observation:
    """In the middle of episodes with several budgets."""
    episodes = market(seed=2)
    game = AuctionReplay(episodes, np.stack([episodes.cost * share for share in (0, 1 / 16, 1 / 4)]))
    for _ in range(40):
        game.settle(np.full(len(game.left), 30.0))
    return game.observe()


@pytest.mark.parametrize("name", FITS)
def test_a_policy_bids_alike_after_it_was_kept(name: str, policies: dict[str, SavablePolicy], tmp_path: Path) -> None:
    policies[name].save(tmp_path / "kept")

    again = LOADS[name](tmp_path / "kept")

    np.testing.assert_allclose(again.bid(seen()), policies[name].bid(seen()), rtol=1e-12)
    kinds = {path.suffix for path in (tmp_path / "kept").iterdir()}
    assert kinds <= {".json", ".onnx", ".safetensors"}


@pytest.mark.parametrize("name", FITS)
def test_a_policy_answers_rows_one_by_one_as_it_answers_them_together(
    name: str, policies: dict[str, SavablePolicy]
) -> None:
    rows = seen().rows()

    together = policies[name].bid(Observation.of(rows))

    assert np.isfinite(together).all() and (together >= 0).all() and together.max() > 0
    shuffled = rows.sample(frac=1, random_state=1)
    np.testing.assert_allclose(policies[name].bid(Observation.of(shuffled)), together[shuffled.index], rtol=1e-5)
    alone = [policies[name].bid(Observation.of(rows.iloc[[i]]))[0] for i in (0, 20, 47)]
    np.testing.assert_allclose(alone, together[[0, 20, 47]], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(FITS))
def test_an_unknown_campaign_is_named(name: str, policies: dict[str, SavablePolicy]) -> None:
    rows = seen().rows().assign(campaign_id="west")

    with pytest.raises(InvalidRows, match="west"):
        policies[name].bid(Observation.of(rows))


@pytest.mark.parametrize("name", sorted(set(FITS) - {"random"}))
def test_every_policy_beats_chance_and_keeps_its_budget(
    name: str, policies: dict[str, SavablePolicy], data: TrainingData
) -> None:
    held = market(seed=9, count=200)
    budget = markets.budgets(data.markets, held, RATIOS)

    ours, chance = (replay(held, budget, policies[policy]) for policy in (name, "random"))

    assert (ours.cost <= budget).all()
    if name not in ("mcpc", "constant"):  # one spends its budget early by design, the other looks at no value
        assert ours.value.sum() > 1.1 * chance.value.sum()


def test_a_dial_is_as_it_was_tuned_at_its_budgets_and_between_them_in_between(
    policies: dict[str, SavablePolicy],
) -> None:
    curve = policies["linear"].factor  # type: ignore[attr-defined]

    def at(ratio: float) -> Floats:
        return curve.at(replace(seen(), budget=ratio * seen().look_up(curve.prices) * seen().auctions))

    for i, ratio in enumerate(RATIOS):
        np.testing.assert_allclose(at(ratio), seen().look_up(curve.settings)[:, i])
    np.testing.assert_allclose(at(RATIOS[0] * 2**0.5), (at(RATIOS[0]) + at(RATIOS[1])) / 2)
    np.testing.assert_allclose(at(1e-9), at(RATIOS[0]))


def test_calibration_finds_the_power_that_clicks_follow() -> None:
    honest = market(seed=5, count=400)
    twisted = replace(honest, expected_value=honest.expected_value**2)

    found = markets.Market.fit(twisted.of("north"))

    assert found.slope == pytest.approx(0.5, abs=0.06)
    assert found.value == pytest.approx(honest.of("north").click.mean(), rel=0.02)


def test_spending_at_the_markets_multiplier_is_the_pace(data: TrainingData) -> None:
    held = market(seed=6, count=300, auctions=200)
    budget = markets.budgets(data.markets, held, [1 / 8])

    outcome = replay(held, budget, FITS["pacing"](data))

    assert outcome.cost.sum() / budget.sum() > 0.97
    assert outcome.wins.min() > 0


def test_a_plan_is_the_exact_optimum_of_a_small_game() -> None:
    values, costs, most, length = np.array([1.0, 4.0, 2.0]), np.array([1.0, 3.0, 2.0]), 6, 5

    table = plan(values, costs, length, np.arange(most + 1.0))

    @lru_cache
    def worth(to_go: int, left: int) -> float:
        if to_go == 0:
            return 0.0
        skip = worth(to_go - 1, left)
        won = [v + worth(to_go - 1, left - int(c)) if c <= left else skip for v, c in zip(values, costs, strict=True)]
        return sum(max(skip, one) for one in won) / len(values)

    exact = [[worth(to_go, left) for left in range(most + 1)] for to_go in range(length + 1)]
    np.testing.assert_allclose(table, exact)


def test_the_highest_bid_is_where_winning_stops_paying() -> None:
    budgets = np.arange(11.0)
    later = np.sqrt(np.tile(budgets, (9, 1)) * 4)
    left, value = np.repeat([3.0, 7.5, 10.0], 3), np.tile([0.0, 0.7, 99.0], 3)

    bid = highest_bid(later, budgets, left, value)

    kept = np.array([np.interp(at, budgets, later[0]) for at in left - bid])
    now = np.array([np.interp(at, budgets, later[0]) for at in left])
    np.testing.assert_allclose(bid[value == 99], left[value == 99])
    np.testing.assert_allclose((now - kept)[value < 99], value[value < 99], atol=1e-9)


def test_chance_is_even_and_depends_on_what_is_seen_alone() -> None:
    episodes = market(seed=2, count=2000)
    many = AuctionReplay(episodes, episodes.cost).observe()

    drawn = draw(many, seed=1)

    assert (draw(many, seed=1) == drawn).all() and (draw(many, seed=2) != drawn).mean() > 0.99
    assert np.histogram(drawn, bins=8, range=(0, 1))[0] == pytest.approx(500, abs=110)


def test_propensities_are_the_shares_of_heads_that_explore_so(policies: dict[str, SavablePolicy]) -> None:
    dqn = policies["dqn"]
    assert isinstance(dqn, Dqn)

    tries = [dqn.explore(seen(), seed) for seed in range(400)]

    bids, chances = (np.array(column) for column in zip(*tries, strict=True))
    assert ((chances > 0) & (chances <= 1)).all()
    some = np.flatnonzero(chances.min(axis=0) < 1)[:5]
    assert len(some)
    for lane in some:
        first = bids[:, lane] == bids[0, lane]
        assert first.mean() == pytest.approx(chances[0, lane], abs=0.12)


def test_a_comparison_counts_what_was_won_and_pairs_its_gains(
    policies: dict[str, SavablePolicy], data: TrainingData
) -> None:
    held = market(seed=8)
    some = {name: policies[name] for name in ("linear", "random", "pacing")}

    found = compare(some, held, data.markets, RATIOS, seed=1)

    frame = found.frame()
    assert len(frame) == 3 * 4 * 3 and not frame[["clicks", "clicks_low", "share_of_hindsight"]].isna().any(axis=None)
    by_campaign = frame[frame["campaign"] != "all"].groupby(["ratio", "policy"])["clicks"].sum()
    everything = frame[frame["campaign"] == "all"].set_index(["ratio", "policy"])["clicks"]
    assert (by_campaign.sort_index() == everything.sort_index()).all()
    itself = found.gain("linear", "linear")
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)
    assert found.total("linear").low <= found.total("linear").value <= found.total("linear").high
    assert 0 < found.share("pacing").value <= 1
    assert found.against("pacing", "random").value == pytest.approx(
        found.total("pacing").value / found.total("random").value
    )
