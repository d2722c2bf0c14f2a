from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from models.inputs import InvalidRows
from models.ltv import FAMILY, LtvParams, ValueModel

LABELS = ["value", "horizon_days"]


@pytest.fixture(scope="module")
def model(
    train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path_factory: pytest.TempPathFactory
) -> ValueModel:
    return FAMILY.fit(train, valid, params, tmp_path_factory.mktemp("checkpoint"))


def measured(frame: pd.DataFrame, answers: pd.DataFrame) -> dict[str, float]:
    return {metric.name: metric.measure(frame[LABELS], answers) for metric in FAMILY.metrics}


def test_it_ranks_and_covers_customers_of_a_later_time(
    model: ValueModel, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    ours = measured(test, model.predict(test))
    theirs = {name: measured(test, fit(train, valid, params, tmp_path).predict(test))
              for name, fit in FAMILY.baselines.items()}  # fmt: skip

    assert all(ours["gini"] > other["gini"] and ours["mae"] < other["mae"] for other in theirs.values())
    assert 0.75 < ours["coverage80"] < 0.88
    assert 0.85 < ours["total_ratio"] < 1.15
    bought = (test["value"] > 0).mean()
    assert ours["accuracy"] > max(bought, 1 - bought) + 0.05  # than saying the same of everybody


def test_answers_are_ordered_and_on_the_rows_index(model: ValueModel, test: pd.DataFrame) -> None:
    rows = test.drop(columns=LABELS).sample(200, random_state=0)

    answers = model.predict(rows)

    assert answers.index.equals(rows.index)
    assert np.isfinite(answers.to_numpy()).all() and (answers >= 0).all(axis=None)
    ordered = ["value_low", "value", "value_high"]
    assert (answers[ordered].diff(axis=1)[ordered[1:]] >= 0).all(axis=None)
    growing = ["value", "value_1y", "value_3y"]
    assert (answers[growing].diff(axis=1)[growing[1:]] >= 0).all(axis=None)
    assert answers["churn_risk"].between(0, 1).all()


def test_one_row_is_answered_as_in_a_batch(model: ValueModel, test: pd.DataFrame) -> None:
    batch = model.predict(test.head(20))

    alone = pd.concat([model.predict(test.iloc[[place]]) for place in range(20)])

    pd.testing.assert_frame_equal(alone, batch, rtol=1e-12)


def test_a_saved_model_answers_the_same(model: ValueModel, test: pd.DataFrame, tmp_path: Path) -> None:
    model.save(tmp_path)

    again = ValueModel.load(tmp_path)

    pd.testing.assert_frame_equal(again.predict(test), model.predict(test), check_exact=True)
    assert {file.suffix for file in tmp_path.iterdir()} == {".txt", ".json"}


def test_the_same_seed_learns_the_same(
    model: ValueModel, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    again = FAMILY.fit(train, valid, params, tmp_path)

    pd.testing.assert_frame_equal(again.predict(test), model.predict(test), check_exact=True)


def test_a_killed_run_goes_on_where_it_was(
    model: ValueModel, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    FAMILY.fit(train, valid, params, tmp_path)
    (torn,) = tmp_path.glob("*final-amount.txt")
    torn.rename(torn.with_suffix(".123"))  # as far as a kill in the middle of writing gets
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*.txt")}

    again = FAMILY.fit(train, valid, params, tmp_path)

    pd.testing.assert_frame_equal(again.predict(test), model.predict(test), check_exact=True)
    assert len(kept) == 5 and kept == {file: file.stat().st_mtime_ns for file in kept}


def test_a_checkpoint_of_other_data_is_left_alone(
    train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    FAMILY.fit(train, valid, params, tmp_path)
    kept = set(tmp_path.iterdir())

    FAMILY.fit(train.assign(monetary=train["monetary"] * 2), valid, params, tmp_path)

    assert len(set(tmp_path.iterdir()) - kept) == 6


def test_short_windows_teach_a_longer_horizon(
    model: ValueModel, train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    twice = params.model_copy(update={"window": params.window.model_copy(update={"horizon_days": 120})})

    further = FAMILY.fit(train, valid, twice, tmp_path).predict(test)

    near = model.predict(test)
    assert (further["value"] > near["value"]).all() and (further["churn_risk"] < near["churn_risk"]).all()
    assert 1.3 < further["value"].sum() / near["value"].sum() < 2.0
    # Whatever the horizon, a year is a year.
    assert further["value_1y"].sum() == pytest.approx(near["value_1y"].sum(), rel=0.1)


def test_drivers_are_raw_features_largest_first(model: ValueModel, test: pd.DataFrame) -> None:
    explained = model.explain(test.head(50))

    assert explained.index.equals(test.index[:50])
    drivers = explained["top_drivers"].iloc[0]
    effects = [abs(driver["effect"]) for driver in drivers]
    assert effects == sorted(effects, reverse=True) and len(drivers) == 5
    made = {"p_alive", "purchases_per_day", "value_per_purchase", "idle_share", "buy_till_you_die", "past_spend"}
    known = {*test.columns, *made}
    assert {driver["feature"] for row in explained["top_drivers"] for driver in row} <= known


def test_drivers_add_up_to_the_value(model: ValueModel, test: pd.DataFrame) -> None:
    """The effects are what sets the log odds, weighted by 1 - p, and the log amount apart from two constants."""
    design = model.inputs.design(test, np.full(len(test), 60.0))
    buys, amount = model.boosters.answer(design)

    effects = model.boosters.effects(design, buys, model.prior).sum(axis=1)

    constants = np.column_stack([1 - buys, np.ones(len(buys))])
    left_over = (1 - buys) * logit(buys) + np.log(amount) - effects
    fitted, *_ = np.linalg.lstsq(constants, left_over, rcond=None)
    assert constants @ fitted == pytest.approx(left_over, abs=1e-6)
    assert np.std(effects) > 0.1


def test_a_missing_column_is_named(model: ValueModel, test: pd.DataFrame) -> None:
    with pytest.raises(InvalidRows, match="btyd_age"):
        model.predict(test.drop(columns="btyd_age"))


def test_a_value_of_the_wrong_type_is_named(model: ValueModel, test: pd.DataFrame) -> None:
    with pytest.raises(InvalidRows, match="monetary"):
        model.predict(test.head(3).assign(monetary="much"))


def test_a_customer_without_a_purchase_has_an_answer(model: ValueModel, test: pd.DataFrame) -> None:
    nothing = test.head(1).assign(**dict.fromkeys(["btyd_frequency", "btyd_recency", "btyd_age", "monetary"], np.nan))

    assert np.isfinite(model.predict(nothing).to_numpy()).all()


def test_nobody_buying_is_said(train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="label 'value'"):
        FAMILY.fit(train.assign(value=0.0), valid, params, tmp_path)


def test_everybody_buying_is_learnt(
    train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    train, valid = (frame.assign(value=frame["value"] + 5) for frame in (train, valid))

    answers = FAMILY.fit(train, valid, params, tmp_path).predict(test)

    assert np.isfinite(answers.to_numpy()).all() and (answers["churn_risk"] < 0.5).mean() > 0.9


def test_two_dozen_customers_are_enough_to_answer(
    train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    answers = FAMILY.fit(train.head(24), valid.head(24), params, tmp_path).predict(test)

    assert np.isfinite(answers.to_numpy()).all()
