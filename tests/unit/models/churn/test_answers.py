"""Stack, survival, bands, drivers and interventions."""

import numpy as np
import pytest
from scipy.special import expit

from models.churn.explanation import drivers, intervention
from models.churn.stacking import Stack, deal
from models.churn.survival import SPAN, expected_days


def test_days_fall_as_the_probability_rises_and_agree_with_it() -> None:
    chance = np.linspace(1e-4, 1 - 1e-4, 5001)

    days = expected_days(chance, 28)

    assert (np.diff(days) < 0).all() and days.max() < SPAN and days.min() > 0
    # Simulated: who leaves at a constant rate such that a third has left after 28 days stays so long on average.
    stay = np.random.default_rng(0).exponential(-28 / np.log1p(-1 / 3), 400_000)
    assert (stay < 28).mean() == pytest.approx(1 / 3, abs=0.005)
    assert expected_days(np.array([1 / 3]), 28)[0] == pytest.approx(np.minimum(stay, SPAN).mean(), rel=0.01)


def test_the_stack_trusts_the_better_member_and_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1.5, 20_000)
    churned = (rng.random(20_000) < expit(truth)).astype(float)
    said = np.column_stack([2 * truth, rng.normal(size=20_000), rng.normal(-truth, 3)])

    stack = Stack.fit(said, churned, np.ones(20_000, dtype=bool))

    assert stack.weights[0] == pytest.approx(0.5, abs=0.05)
    assert abs(stack.weights[1]) < 0.05 and stack.weights[2] < 0.02
    assert min(stack.weights) >= 0
    assert stack.probability(said).mean() == pytest.approx(churned.mean(), abs=0.005)


def test_calibration_follows_the_latest_rows() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 1, 20_000)
    latest = np.arange(20_000) >= 15_000
    churned = (rng.random(20_000) < expit(logit - 1.5 * latest)).astype(float)

    stack = Stack.fit(logit[:, None], churned, latest)

    assert stack.probability(logit[latest, None]).mean() == pytest.approx(churned[latest].mean(), abs=0.01)


def test_a_customer_is_in_one_fold_and_leavers_in_all() -> None:
    customers = np.repeat([f"c{i}" for i in range(100)], 3)
    churned = np.repeat(np.arange(100) < 10, 3).astype(float)

    fold = deal(customers, churned, 5, seed=1)

    assert all(len(set(fold[customers == name])) == 1 for name in set(customers))
    assert [churned[fold == k].sum() for k in range(5)] == [6] * 5
    assert (fold != deal(customers, churned, 5, seed=2)).any()


def test_drivers_sum_a_features_columns_and_come_largest_first() -> None:
    effects = np.array([[0.5, -0.2, 0.4, -0.7]], dtype=np.float32)

    (row,) = drivers(effects, ["recency_days", "plan", "plan", "spend"])

    assert [driver["feature"] for driver in row] == ["spend", "recency_days", "plan"]
    assert [driver["effect"] for driver in row] == pytest.approx([-0.7, 0.5, 0.2])


@pytest.mark.parametrize(
    ("band", "feature", "effect", "expected"),
    [
        ("low", "MonthlyCharges", 2.0, "none"),
        ("medium", "MonthlyCharges", 2.0, "incentive_programs"),
        ("high", "coupon_order_share", 2.0, "incentive_programs"),
        ("high", "TechSupport", 2.0, "product_improvements"),
        ("high", "recency_days", 2.0, "personalized_outreach"),
        ("medium", "recency_days", 2.0, "communication_optimization"),
        ("high", "MonthlyCharges", -2.0, "personalized_outreach"),
        ("medium", "household_size", 2.0, "communication_optimization"),
    ],
)
def test_the_intervention_follows_risk_and_what_raises_it(
    band: str, feature: str, effect: float, expected: str
) -> None:
    assert intervention(band, [{"feature": feature, "effect": effect}]) == expected
