import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.ltv import FAMILY, LtvParams, ValueModel
from models.ltv.horizon_extrapolation import USUAL, HorizonExtrapolation, chained, drift, pairs, weight


def test_no_leap_leaves_the_models_answers() -> None:
    own = np.array([1.0, 5.0, 20.0])

    assert HorizonExtrapolation().value(own, np.array([0.0, 50.0, 3.0])).tolist() == own.tolist()


def test_a_leap_goes_part_of_the_way_to_past_spend_and_keeps_the_total() -> None:
    own, past = np.array([10.0, 10.0, 10.0]), np.array([40.0, 10.0, 2.5])

    value = HorizonExtrapolation.over(0.5, own, past).value(own, past)

    assert value.sum() == pytest.approx(own.sum())
    assert value / value[1] == pytest.approx([2.0, 1.0, 0.5])


def test_who_never_paid_anything_keeps_some_value() -> None:
    value = HorizonExtrapolation(weight=1.0).value(np.array([10.0]), np.array([0.0]))

    assert value.tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.8])
def test_the_weight_that_spend_was_made_by_is_found_whatever_the_season(truth: float) -> None:
    rng = np.random.default_rng(4)
    own, past = np.exp(rng.normal(3, 1, (2, 50_000)))
    mean = 1.7 * own ** (1 - truth) * past**truth  # everybody spends more than foreseen: a season, no weight
    purchases = rng.poisson(1.2, len(mean))
    spend = rng.gamma(2.0 * purchases) * mean / 2.4

    assert weight(own, past, spend) == pytest.approx(truth, abs=0.03)


def test_where_nobody_buys_past_spend_is_not_believed() -> None:
    assert weight(np.ones(5), np.arange(5.0), np.zeros(5)) == 0.0


def test_pairs_look_from_the_earlier_cutoff_to_the_end_of_the_later_horizon() -> None:
    earlier = pd.DataFrame(
        {
            "customer_id": ["ann", "ann", "bob"],
            "event_timestamp": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01"]),
            "horizon_days": 30,
            "value": [1.0, 2.0, 3.0],
            "monetary": [10.0, 20.0, 30.0],
        }
    )
    later = pd.DataFrame(
        {"customer_id": ["ann", "cat"], "event_timestamp": pd.Timestamp("2024-03-02"), "horizon_days": 30, "value": 7.0}
    )

    both = pairs(earlier, later, "customer_id")

    assert both["customer_id"].tolist() == ["ann", "ann"] and both["monetary"].tolist() == [10.0, 20.0]
    assert both["value"].tolist() == [7.0, 7.0]
    assert both["horizon_days"].tolist() == [61 + 30, 30 + 30]
    assert set(both) == set(earlier)


def windows(starts: list[str], days: int) -> pd.DataFrame:
    """Two customers at each cutoff, who spend 1 and 10 times its place in the list."""
    return pd.DataFrame(
        {
            "customer_id": ["ann", "bob"] * len(starts),
            "event_timestamp": pd.to_datetime(np.repeat(starts, 2)),
            "horizon_days": days,
            "value": np.repeat(np.arange(1.0, len(starts) + 1), 2) * np.tile([1.0, 10.0], len(starts)),
            "monetary": np.repeat(np.arange(len(starts)), 2),
        }
    )


@pytest.mark.parametrize(("horizon", "start", "spent"), [(30, 3, 4), (31, 2, 3 + 4), (90, 1, 2 + 3 + 4), (400, 1, 9)])
def test_windows_that_follow_each_other_are_one_long_one(horizon: int, start: int, spent: int) -> None:
    examples = windows(["2024-01-15", "2024-01-31", "2024-03-01", "2024-03-31"], 30)  # the first is followed by none

    seen = chained(examples, horizon, "customer_id")

    assert seen["monetary"].tolist() == [start, start]
    assert seen["value"].tolist() == [spent, 10.0 * spent]
    assert set(seen["horizon_days"]) == {30 * (4 - start)}


def test_one_cutoff_is_a_window_by_itself() -> None:
    examples = windows(["2024-01-31"], 30)

    pd.testing.assert_frame_equal(chained(examples, 90, "customer_id"), examples)


def test_drift_is_by_how_much_seasons_that_follow_each_other_differ() -> None:
    months = pd.to_datetime(["2024-01-01", "2024-01-31", "2024-03-01", "2024-03-15"])
    level = dict(zip(months, (1.0, 1.5, 1.0, 9.0), strict=True))  # the last follows none

    found = drift(level, 30)

    assert found == pytest.approx(np.sqrt((2 * np.log(1.5) ** 2 + USUAL**2) / 3))
    assert drift({months[0]: 1.0}, 30) == USUAL


@pytest.fixture(scope="module")
def further(
    train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path_factory: pytest.TempPathFactory
) -> ValueModel:
    """Of a horizon twice as long as the examples look ahead, where spend follows past spend alone."""
    twice = params.model_copy(update={"window": params.window.model_copy(update={"horizon_days": 120})})
    loyal = valid.assign(value=valid["monetary"] * np.where(np.arange(len(valid)) % 3, 1.5, 0.0))
    same = train.assign(customer_id=valid["customer_id"], monetary=valid["monetary"])
    return FAMILY.fit(same, loyal, twice, tmp_path_factory.mktemp("extrapolation"))


def test_what_lies_beyond_the_examples_is_left_to_past_spend_where_spend_follows_it(
    further: ValueModel, test: pd.DataFrame
) -> None:
    assert 0.2 < further.extrapolation.weight <= 0.5  # at most the half of the horizon that lies beyond
    alone = replace(further, extrapolation=HorizonExtrapolation()).predict(test)["value"]
    moved = further.predict(test)["value"] / alone
    assert moved.corr(test["monetary"] / alone, method="spearman") > 0.9


def test_past_spend_is_among_the_drivers(further: ValueModel, test: pd.DataFrame) -> None:
    drivers = [{d["feature"]: d["effect"] for d in row} for row in further.explain(test.head(200))["top_drivers"]]
    moved = np.log(
        further.predict(test)["value"] / replace(further, extrapolation=HorizonExtrapolation()).predict(test)["value"]
    )

    named = [(d["past_spend"], moved.iloc[place]) for place, d in enumerate(drivers) if "past_spend" in d]
    assert len(named) > 20
    assert [effect for effect, _ in named] == pytest.approx([by for _, by in named], rel=1e-6)


def test_a_model_saved_before_there_were_leaps_has_none(further: ValueModel, tmp_path: Path) -> None:
    further.save(tmp_path)
    saved = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(
        json.dumps({name: it for name, it in saved.items() if name != "extrapolation"})
    )

    assert ValueModel.load(tmp_path).extrapolation == HorizonExtrapolation()
