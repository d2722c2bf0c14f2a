"""Examples stand where they may, carry the label by hand count, and never look past what is known."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.examples import Window, latest, plan, span
from features.tables import Tables
from features.transforms import CUSTOMER
from models.churn.examples import churn_examples
from models.ltv.examples import value_examples

DAY = pd.Timedelta(days=1)
FIRST = pd.Timestamp("2024-01-01")


def params(horizon: int, step: int = 10, history: int = 10, seed: int = 1) -> SimpleNamespace:
    return SimpleNamespace(seed=seed, window=Window(horizon_days=horizon, step_days=step, min_history_days=history))


def after(days: float) -> pd.Timestamp:
    return FIRST + days * DAY


@pytest.mark.parametrize("horizon", [7, 20, 30])
@pytest.mark.parametrize("step", [5, 30])
def test_nothing_that_is_learnt_from_reaches_past_the_next_cutoff(horizon: int, step: int) -> None:
    cutoffs = plan(FIRST, after(150), params(horizon, step, 40).window)
    assert cutoffs.test + horizon * DAY == after(150)
    assert cutoffs.valid == (cutoffs.test - horizon * DAY,)
    assert max(cutoffs.train) + horizon * DAY <= cutoffs.valid[0]
    assert min(cutoffs.train) >= after(40)
    assert not cutoffs.by_customer


def test_too_little_history_for_two_times_divides_the_customers() -> None:
    cutoffs = plan(FIRST, after(50), params(15, 5, 10).window)
    assert cutoffs.by_customer
    assert cutoffs.test == after(35)
    assert cutoffs.train == (after(20), after(15), after(10))
    assert cutoffs.valid == (after(20),)


def test_far_too_little_history_says_how_much() -> None:
    with pytest.raises(ValueError, match="5 days too short for a horizon of 15 days"):
        plan(FIRST, after(35), params(15, 5, 10).window)


def test_a_shortened_horizon_still_ends_before_the_test_cutoff() -> None:
    cutoffs = plan(FIRST, after(100), params(60, 5, 10).window, shorten=True)
    assert (cutoffs.test, cutoffs.test_days) == (after(40), 60)
    assert cutoffs.learn_days == 10
    assert max((*cutoffs.train, *cutoffs.valid)) + cutoffs.learn_days * DAY <= cutoffs.test


@pytest.mark.parametrize("history", [91, 120, 145, 300])
def test_windows_of_a_few_days_are_not_learnt_from(history: int) -> None:
    """Of three months of which all but a week are to be history, two days each would be left."""
    cutoffs = plan(FIRST, after(history + 200), params(200, 28, 84).window, shorten=True)

    assert cutoffs.test == after(history)
    assert cutoffs.learn_days == max((history - 84) // 3, history // 5)
    assert cutoffs.train and cutoffs.valid == (cutoffs.test - cutoffs.learn_days * DAY,)
    assert max(cutoffs.train) + cutoffs.learn_days * DAY <= cutoffs.valid[0]
    assert min(cutoffs.train) - FIRST >= min(84, 2 * history // 5) * DAY


def test_a_horizon_beyond_the_data_is_cut_and_said() -> None:
    with pytest.warns(UserWarning, match="the horizon is 20 days"):
        cutoffs = plan(FIRST, after(100), params(30).window, cutoff=str(after(80)))
    assert (cutoffs.test, cutoffs.test_days, cutoffs.learn_days) == (after(80), 20, 20)


@pytest.mark.parametrize("cutoff", ["2023-12-01", "2024-12-01"])
def test_a_cutoff_outside_the_data_is_refused(cutoff: str) -> None:
    with pytest.raises(ValueError, match="data covers 2024-01-01 to 2024-04-10"):
        plan(FIRST, after(100), params(30).window, cutoff=cutoff)


@pytest.mark.parametrize("far", ["2099-01-01", "1971-01-01"])
def test_a_date_far_off_makes_no_more_cutoffs_than_there_may_be(far: str) -> None:
    first, last = sorted((FIRST, pd.Timestamp(far)))
    for window in (params(30, 5, 10).window, params(30, 1, 1).window):
        cutoffs = plan(first, last, window)
        assert len(cutoffs.train) == window.max_cutoffs
        assert cutoffs.train[0] == cutoffs.test - 60 * DAY  # the newest are kept


def test_examples_are_bounded_whole_customers_at_a_time(shop: Tables) -> None:
    window = {"horizon_days": 28, "step_days": 28, "min_history_days": 84}
    all_of_them = churn_examples(shop, params(28, 28, 84))
    for most in (60, 200):
        drawn = churn_examples(shop, SimpleNamespace(seed=1, window=Window(**window, max_examples=most)))
        kept = drawn.merge(all_of_them, how="left", indicator=True)
        assert (kept["_merge"] == "both").all()
        for split, rows in drawn.groupby("split"):
            there = all_of_them[all_of_them["split"] == split]
            assert len(rows) < 1.5 * most
            counts = there.groupby("customer_id").size()
            assert rows.groupby("customer_id").size().equals(counts[rows["customer_id"].unique()].sort_index())


def test_churn_is_no_purchase_in_the_horizon(given: Callable[..., Tables]) -> None:
    tables = given(
        [
            ("stays", "2024-01-01", 5.0),
            ("stays", "2024-03-10", 5.0),
            ("on the day", "2024-01-02", 5.0),
            ("on the day", "2024-03-01", 5.0),  # at the cutoff: history
            ("late", "2024-01-02", 5.0),
            ("late", "2024-03-31 10:00", 5.0),  # the last moment of the horizon is midnight
            ("returns", "2024-01-02", 5.0),
            ("returns", "2024-03-15", -5.0),
            ("new", "2024-03-02", 5.0),
            ("clock", "2024-05-01", 1.0),
        ]
    )
    examples = churn_examples(tables, params(30), cutoff="2024-03-01")
    test = examples[examples["split"] == "test"].set_index("customer_id")["churned"].to_dict()
    assert test == {"stays": 0, "on the day": 1, "late": 1, "returns": 1}
    assert examples.columns.tolist() == ["customer_id", "event_timestamp", "split", "churned"]


def test_value_is_net_spend_in_the_horizon(given: Callable[..., Tables]) -> None:
    tables = given(
        [
            ("ann", "2024-01-01", 5.0),
            ("ann", "2024-03-02", 7.0),
            ("ann", "2024-03-03", -2.0),
            ("ann", "2024-04-20", 100.0),
            ("bob", "2024-01-05", 3.0),
            ("bob", "2024-03-05", -3.0),
            ("clock", "2024-05-01", 1.0),
        ]
    )
    examples = value_examples(tables, params(30), cutoff="2024-03-01")
    test = examples[examples["split"] == "test"].set_index("customer_id")
    assert test["value"].to_dict() == {"ann": 5.0, "bob": 0.0}
    assert test["horizon_days"].tolist() == [30, 30]


def test_what_came_after_as_of_does_not_change_the_examples(shop: Tables) -> None:
    at = str(span(shop)[1] - 60 * DAY)
    examples = churn_examples(shop, params(28, 28, 84), as_of=at)
    assert (examples["event_timestamp"] + 28 * DAY).max() <= pd.Timestamp(at)
    assert CUSTOMER.moment(shop, "-60d") == pd.Timestamp(at).isoformat()


def test_each_customer_stands_once_at_each_cutoff(shop: Tables) -> None:
    for horizon in (28, 120, 160):
        examples = value_examples(shop, params(horizon, 28, 84))
        assert not examples.duplicated(["customer_id", "event_timestamp"]).any()
        assert set(examples["split"]) == {"train", "valid", "test"}


def subscribers(count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame({"customer_id": [f"s{n}" for n in range(count)], "churned": rng.random(count) < 0.25})


def test_contractual_splits_are_stratified_and_follow_the_seed(given: Callable[..., Tables]) -> None:
    customers = subscribers()
    tables = given(customers=customers)
    examples = churn_examples(tables, params(30))
    rates = examples.groupby("split")["churned"].mean()
    assert np.allclose(rates, customers["churned"].mean(), atol=0.02)
    assert np.allclose(
        examples["split"].value_counts(normalize=True)[["train", "valid", "test"]], [0.6, 0.2, 0.2], atol=0.02
    )
    shuffled = given(customers=customers.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(churn_examples(shuffled, params(30)), examples)
    other = churn_examples(tables, params(30, seed=2))
    assert (other["split"] != examples["split"]).mean() > 0.3


def test_contractual_examples_stand_at_the_snapshot(given: Callable[..., Tables]) -> None:
    customers = subscribers(20).assign(snapshot_at=pd.Timestamp("2024-06-30"))
    customers.loc[0, "churned"] = None
    tables = given(customers=customers.astype({"churned": "boolean"}))
    examples = churn_examples(tables, params(30))
    assert set(examples["event_timestamp"]) == {pd.Timestamp("2024-06-30")} == {latest(tables)}
    assert "s0" not in set(examples["customer_id"])


def test_without_transactions_there_is_nothing_to_cut(given: Callable[..., Tables]) -> None:
    with pytest.raises(ValueError, match="no transactions"):
        value_examples(given(customers=pd.DataFrame({"customer_id": ["ann"]})), params(30))
