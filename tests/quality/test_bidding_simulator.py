"""Bidding for conversions on the simulator: the benchmark's rows, at a size that takes seconds."""

from typing import Any

import numpy as np
import pytest

from models.bidding.dqn.training import Schedule
from tests.benchmarks import bidding_market
from tests.benchmarks import bidding_simulator as benchmark
from tests.benchmarks.__main__ import PARTS
from tests.integration import small_market


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "AUCTIONS", 300)
        patch.setattr(benchmark, "TEST", 40)
        patch.setattr(benchmark, "SCHEDULE", Schedule(rounds=1, episodes=4, steps=20))
        small_market.shrink(patch)
        patch.setattr(benchmark, "CAMPAIGNS", small_market.CAMPAIGNS[1:])
        small = small_market.section(rounds=1, episodes=2, steps=5)
        patch.setattr(bidding_market, "section", lambda: small)
        told = benchmark.rows(None)  # type: ignore[arg-type]
    return {one["name"]: one for one in told}


def test_rows_are_those_that_are_named_each_with_its_seed_and_data(rows: dict[str, dict[str, Any]]) -> None:
    assert sorted(rows) == sorted(PARTS["bidding.simulator"])
    assert {one["seed"] for one in rows.values()} == {benchmark.SEED, bidding_market.section()["seed"]}
    assert all(len(one["data_hash"]) == 16 for one in rows.values())


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


def test_no_rule_of_the_field_is_better_beyond_noise(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["bidding.simulator.vs_best_rule"]["high"] >= 1


def test_shaded_bids_buy_more_where_winners_pay_what_they_bid(rows: dict[str, dict[str, Any]]) -> None:
    for other in ("unshaded", "linear"):
        assert rows[f"bidding.simulator.first_price.value_vs_{other}"]["low"] > 1


def test_no_budget_is_overspent_whatever_the_prices(rows: dict[str, dict[str, Any]]) -> None:
    for kind in ("", "shifted.", "first_price."):
        assert rows[f"bidding.simulator.{kind}overspent"]["value"] == 0
    assert rows["bidding.simulator.shifted.budget_use"]["value"] <= 1


def test_the_shift_raises_prices_of_the_days_reported_on_and_changes_nothing_else() -> None:
    plain, dear = (benchmark.drawn(benchmark.LEARN, 2, shifts) for shifts in benchmark.KINDS.values())
    assert np.array_equal(plain.click, dear.click)
    ratio = (dear.market_price / plain.market_price).round(6)
    assert sorted(set(ratio.ravel())) == pytest.approx([4 / 3, 2, 3], rel=1e-5)
    before = (benchmark.drawn(benchmark.LEARN - 2, 2, shifts) for shifts in benchmark.KINDS.values())
    assert len({one.market_price.tobytes() for one in before}) == 1
