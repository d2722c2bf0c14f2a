"""Moves of budget between places."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from serving.campaigns.rules.metrics import RATES, SeenRate
from serving.campaigns.rules.rebalance import WHOLE, moved, shares

NAMES = ("feed", "story", "reels")
BUDGETS = some.lists(some.integers(100, 10_000_000).map(lambda cents: cents / 100), min_size=3, max_size=3)
EVENTS = some.lists(some.integers(0, 2000), min_size=3, max_size=3)


def worth(events: list[int], spent: float = 1000.0) -> dict[str, SeenRate]:
    return {name: SeenRate(RATES["roas"], k, spent) for name, k in zip(NAMES, events, strict=True)}


def test_budget_moves_to_what_is_surely_better_a_step_at_a_time() -> None:
    move = moved(dict.fromkeys(NAMES, 100.0), worth([200, 100, 95]), 0.001, 0.1, 0.2)
    assert move.budgets == {"feed": 110.0, "reels": 90.0, "story": 100.0}
    assert move.why.startswith("a unit of spend brings feed at least 0.15")


def test_nothing_moves_where_nothing_is_sure() -> None:
    budgets = dict.fromkeys(NAMES, 100.0)
    assert moved(budgets, worth([12, 9, 8]), 0.001, 0.1, 0.2).budgets == budgets
    assert moved(budgets, {}, 0.001, 0.1, 0.2).budgets == budgets


@given(BUDGETS, EVENTS, some.floats(0.01, 0.5), some.floats(0.0, 1.0))
def test_the_sum_stays_exactly_and_steps_are_bounded(
    budgets: list[float], events: list[int], step: float, keep: float
) -> None:
    before = dict(zip(NAMES, budgets, strict=True))
    after = moved(before, worth(events), 0.01, step, keep).budgets
    assert sum(Decimal(str(one)) for one in after.values()) == sum(Decimal(str(one)) for one in before.values())
    for name, was in before.items():
        assert abs(after[name] - was) <= step * was + 1e-9
        assert after[name] >= min(was, keep * sum(budgets) / 3 - 0.01)


@given(some.dictionaries(some.text(min_size=1), some.floats(0, 1e9), min_size=1, max_size=30))
def test_shares_sum_to_the_whole_exactly(spent: dict[str, float]) -> None:
    found = shares(spent)
    assert sum(found.values()) == WHOLE
    assert all(part >= 0 for part in found.values())


def test_shares_are_proportional() -> None:
    assert shares({"a": 1.0, "b": 2.0}) == {"a": 3333.0, "b": 6667.0}
    assert shares({"a": 0.0, "b": 0.0}) == pytest.approx({"a": 5000.0, "b": 5000.0})
