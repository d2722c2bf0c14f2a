"""Bidding for conversions on the simulator, at a size that takes seconds; `make benchmark` measures all of it."""

from typing import Any

import numpy as np
import pytest

from models.bidding.dqn.training import Schedule
from models.bidding.fit import TrainingData
from tests.benchmarks import bidding_simulator as benchmark
from tests.integration import small_market


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "AUCTIONS", 150)
        patch.setattr(benchmark, "TEST", 60)
        small_market.shrink(patch)
        patch.setattr(benchmark, "CAMPAIGNS", small_market.CAMPAIGNS[1:])
        data = TrainingData(
            benchmark.drawn(0, benchmark.LEARN),
            benchmark.SEED,
            tmp_path_factory.mktemp("data"),
            schedule=Schedule(rounds=1, episodes=2, steps=5),
        )
        return {one["name"]: one for one in benchmark.second_price(data)}


def test_what_is_released_buys_more_for_its_money_than_what_is_usual(rows: dict[str, dict[str, Any]]) -> None:
    for other in ("constant", "mcpc"):
        assert rows[f"bidding.simulator.value_per_spend_vs_{other}"]["low"] > 1
        assert rows[f"bidding.simulator.shifted.value_per_spend_vs_{other}"]["low"] > 1
    assert rows["bidding.simulator.value_vs_linear"]["low"] > 1


def test_money_buys_no_less_than_by_a_fixed_rule_where_prices_rose(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["bidding.simulator.shifted.value_per_spend_vs_linear"]["low"] > 1
    assert rows["bidding.simulator.shifted.value_per_spend_vs_rlb"]["low"] > 1
    use = rows["bidding.simulator.shifted.budget_use"]
    assert use["value"] < 0.95 < rows["bidding.simulator.budget_use"]["value"]


def test_no_budget_is_overspent_whatever_the_prices(rows: dict[str, dict[str, Any]]) -> None:
    for kind in benchmark.KINDS:
        assert rows[f"bidding.simulator.{kind}overspent"]["value"] == 0
    assert rows["bidding.simulator.shifted.budget_use"]["value"] <= 1


def test_the_shift_raises_prices_of_the_days_reported_on_and_changes_nothing_else() -> None:
    plain, dear = (benchmark.drawn(benchmark.LEARN, 2, shifts) for shifts in benchmark.KINDS.values())
    assert np.array_equal(plain.click, dear.click)
    ratio = (dear.market_price / plain.market_price).round(6)
    assert sorted(set(ratio.ravel())) == pytest.approx([4 / 3, 2, 3], rel=1e-5)
    before = (benchmark.drawn(benchmark.LEARN - 2, 2, shifts) for shifts in benchmark.KINDS.values())
    assert len({one.market_price.tobytes() for one in before}) == 1
