"""Bidding on real auctions: every policy beats chance, planning beats what is usual, and nothing overspends."""

from pathlib import Path

import numpy as np
import pytest

from models.bidding import market
from models.bidding.auctions import Episodes
from models.bidding.dqn.training import Schedule
from models.bidding.evaluation import Comparison, compare
from models.bidding.fit import FITS, TrainingData
from tests.benchmarks import bidding as benchmark
from tests.benchmarks.__main__ import PARTS

#: A network that learns for seconds.
SCHEDULE = Schedule(rounds=1, episodes=20, steps=100)


@pytest.fixture(scope="module")
def halves() -> tuple[Episodes, Episodes]:
    if not benchmark.IPINYOU.is_dir():
        pytest.skip(f"{benchmark.IPINYOU.name} is not there")
    return benchmark.halves(benchmark.read())


@pytest.fixture(scope="module")
def compared(halves: tuple[Episodes, Episodes], tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    data = TrainingData(few(halves[0]), benchmark.SEED, tmp_path_factory.mktemp("data"), benchmark.TIGHT, SCHEDULE)
    policies = {name: fit(data) for name, fit in FITS.items()}
    return compare(policies, halves[1], data.markets, benchmark.TIGHT, benchmark.SEED)


def few(learn: Episodes) -> Episodes:
    """A fifth of the episodes, so that the policies are fitted in seconds."""
    return learn.select(np.arange(0, len(learn), 5))


def test_the_halves_share_no_episode(halves: tuple[Episodes, Episodes]) -> None:
    learn, test = halves

    assert len(learn) == len(test) == benchmark.LEARN * len(learn.campaigns)
    for name in learn.campaigns:
        assert not set(learn.of(name).expected_value[:, 0]) >= set(test.of(name).expected_value[:, 0])


#: A constant bid looks at no value: it knows no more than chance.
BLIND = {"random", "constant"}


@pytest.mark.parametrize("policy", sorted(set(FITS) - BLIND))
def test_every_policy_that_looks_at_value_beats_chance_beyond_noise(compared: Comparison, policy: str) -> None:
    assert compared.gain(policy, "random").low > 0


@pytest.mark.parametrize("policy", ["dqn", "pacing", "rlb", "rlb_calibrated", "pid"])
def test_keeping_an_eye_on_the_budget_beats_the_linear_bid(compared: Comparison, policy: str) -> None:
    assert compared.gain(policy, "linear").low > 0
    assert compared.below(policy, "linear") == []


def test_the_network_is_above_a_target_cost_and_beside_the_pacing_it_turns(compared: Comparison) -> None:
    assert compared.against("dqn", "mcpc").low > 1.1
    assert compared.against("dqn", "pacing").value > 0.95


def test_no_budget_is_overspent_and_no_limit_passed(halves: tuple[Episodes, Episodes], compared: Comparison) -> None:
    learn, test = halves
    budget = market.budgets(market.fit(few(learn), benchmark.SEED), test, benchmark.TIGHT)

    for outcome in compared.outcomes.values():
        assert (outcome.cost <= budget).all() and (outcome.value <= outcome.optimum).all()


def test_data_that_is_absent_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "IPINYOU", tmp_path / "ipinyou_rlb")

    told = benchmark.rows(None)  # type: ignore[arg-type]

    assert all(one["absent"] == "ipinyou_rlb is not there" for one in told)
    assert sorted(one["name"] for one in told) == sorted(PARTS["bidding"])
