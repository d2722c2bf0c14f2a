"""Bidding on real auctions: every policy beats chance, planning beats what is usual, and nothing overspends."""

from pathlib import Path

import numpy as np
import pytest

from models.bidding import market
from models.bidding.auctions import Episodes
from models.bidding.dqn.training import Schedule
from models.bidding.evaluation import Comparison, compare
from models.bidding.fit import FITS, RATIOS, Lesson
from tests.benchmarks import bidding as benchmark

#: Two campaigns, one with many clicks and one with few, and a network that learns for seconds.
CAMPAIGNS = ("2821", "2997")
SCHEDULE = Schedule(rounds=2, episodes=20, steps=100)


@pytest.fixture(scope="module")
def halves() -> tuple[Episodes, Episodes]:
    if not benchmark.IPINYOU.is_dir():
        pytest.skip(f"{benchmark.IPINYOU.name} is not there")
    episodes = benchmark.read()
    return benchmark.halves(episodes.select(np.isin(episodes.campaign, CAMPAIGNS)))


@pytest.fixture(scope="module")
def compared(halves: tuple[Episodes, Episodes], tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    learn, test = halves
    lesson = Lesson(learn, benchmark.SEED, tmp_path_factory.mktemp("lesson"), schedule=SCHEDULE)
    return compare({name: fit(lesson) for name, fit in FITS.items()}, test, lesson.markets, RATIOS, benchmark.SEED)


def test_the_halves_share_no_episode(halves: tuple[Episodes, Episodes]) -> None:
    learn, test = halves

    assert len(learn) == len(test) == benchmark.LEARN * len(CAMPAIGNS)
    assert not set(learn.expected_value[:, :20].ravel()) >= set(test.expected_value[:, :20].ravel())


@pytest.mark.parametrize("policy", sorted(set(FITS) - {"random", "mcpc"}))
def test_every_policy_beats_chance_beyond_noise(compared: Comparison, policy: str) -> None:
    assert compared.gain(policy, "random").low > 0


def test_a_target_cost_spends_early_and_wins_less_than_the_linear_bid(compared: Comparison) -> None:
    assert compared.gain("linear", "mcpc", ratios=benchmark.TIGHT).low > 0


@pytest.mark.parametrize("policy", ["dqn", "pacing", "rlb", "rlb_calibrated"])
def test_planning_is_not_below_the_linear_bid_anywhere(compared: Comparison, policy: str) -> None:
    assert compared.total(policy).value > compared.total("linear").value
    assert compared.below(policy, "linear") == []


def test_the_network_is_far_above_a_target_cost_and_beside_the_plans(compared: Comparison) -> None:
    assert compared.against("dqn", "mcpc", ratios=benchmark.TIGHT).low > 1.35
    assert compared.against("dqn", "pacing").value > 0.97


def test_no_budget_is_overspent_and_no_limit_passed(halves: tuple[Episodes, Episodes], compared: Comparison) -> None:
    learn, test = halves
    budget = market.budgets(market.fit(learn, benchmark.SEED), test, RATIOS)

    for outcome in compared.outcomes.values():
        assert (outcome.cost <= budget).all() and (outcome.value <= outcome.optimum).all()


def test_data_that_is_absent_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "IPINYOU", tmp_path / "ipinyou_rlb")

    told = benchmark.rows(None)  # type: ignore[arg-type]

    assert all(one["absent"] == "ipinyou_rlb is not there" for one in told)
    assert {one["name"] for one in told} >= {"bidding.ipinyou.vs_linear", "bidding.auctions_per_s"}
