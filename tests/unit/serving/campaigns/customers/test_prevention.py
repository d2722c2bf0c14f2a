"""Whom to keep and by what, and what it changed."""

import numpy as np
import pandas as pd
import pytest

from serving.campaigns.customers.effect import effects
from serving.campaigns.customers.engagement import engagement
from serving.campaigns.customers.interventions import read
from serving.campaigns.customers.prevention import HOLDOUT, planned, triggered

AT, POLICY = pd.Timestamp("2026-03-01"), read(None)


def customers(count=1000, seed=0):
    rng = np.random.default_rng(seed)
    strategies = ["personalized_outreach", "incentive_programs", "communication_optimization"]
    return pd.DataFrame(
        {
            "customer_id": [f"c{at}" for at in range(count)],
            "risk": rng.random(count),
            "value": rng.gamma(2, 100, count),
            "engagement": rng.uniform(0.2, 1.5, count),
            "recommended": rng.choice(strategies, count),
        }
    )


def calling(count=1000):
    return triggered(customers(count), POLICY)


def test_triggers_are_high_and_medium_risk_and_declining_engagement():
    rows = pd.DataFrame({"risk": [0.7, 0.5, 0.49, 0.1], "engagement": [1.0, 0.1, 0.49, np.nan]})
    assert triggered(rows, POLICY)["trigger"].tolist() == ["churn_high", "churn_medium", "declining_engagement"]


def test_an_untested_intervention_is_used_only_where_it_is_recommended():
    plan = planned(calling(), {}, POLICY, AT)
    names = dict(zip(customers()["customer_id"], customers()["recommended"], strict=True))
    for row in plan.to_dict("records"):
        assert POLICY.interventions[row["intervention"]].strategy == names[row["customer_id"]]
    assert set(plan["evidence"]) == {"assumed"}
    assert (plan["saved"] > plan["cost"]).all()


def test_a_measured_intervention_is_chosen_by_what_it_saves():
    given = calling()
    uplift = {
        "incentive": pd.Series(np.where(given["customer_id"].str[1:].astype(int) % 2, 40.0, -5.0), index=given.index)
    }
    plan = planned(given, uplift, POLICY.model_copy(update={"budget": 1e6}), AT)
    even = plan["customer_id"].str[1:].astype(int) % 2 == 0
    assert (plan.loc[~even, "intervention"] == "incentive").mean() > 0.9
    assert not (plan.loc[even, "intervention"] == "incentive").any()


def test_a_plan_keeps_to_its_budget_and_holds_a_random_share_out():
    free = POLICY.model_copy(update={"budget": 1e6})
    plan, small = planned(calling(4000), {}, free, AT), planned(calling(), {}, POLICY, AT)
    assert small["cost"].sum() <= POLICY.budget
    held = plan["arm"] == HOLDOUT
    assert held.mean() == pytest.approx(0.1, abs=0.03)
    assert plan.loc[held, "propensity"].eq(0.1).all()
    assert plan.loc[held, "reason"].str.contains("held out from").all()
    shuffled = planned(calling(4000).sample(frac=1, random_state=1), {}, free, AT)
    pd.testing.assert_frame_equal(shuffled, plan)


def test_nobody_at_risk_is_an_empty_plan():
    nobody = triggered(customers().assign(risk=0.1, engagement=1.0), POLICY)
    assert planned(nobody, {}, POLICY, AT).empty


def test_the_effect_and_its_return_come_from_the_holdout():
    rng, count = np.random.default_rng(0), 4000
    held = rng.random(count) < 0.3
    stayed = rng.random(count) < np.where(held, 0.5, 0.6)
    arm = np.where(held, HOLDOUT, "incentive")
    plan = pd.DataFrame(
        {"intervention": "incentive", "arm": arm, "cost": 2.0, "stayed": stayed, "bought": 100.0 * stayed}
    )
    total, incentive = effects(plan)
    assert total.retention.low < 0.1 < total.retention.high
    assert total.retention.low > 0
    assert total.roi.value == pytest.approx((total.saved.value - total.cost) / total.cost)
    assert total.cost == 2.0 * (~held).sum()
    assert (incentive.intervention, incentive.value) == ("incentive", total.value)


def test_use_that_is_not_recorded_is_told_by_purchases_beyond_chance():
    features = pd.DataFrame(
        {"frequency_28d": [0.0, 0.0, 4.0], "frequency": [120.0, 2.0, 40.0], "tenure_days": [308.0, 308.0, 308.0]}
    )
    found = engagement(features, 0.5)
    assert found[0] == 0
    assert found[1:].isna().all()  # two purchases in a year tell nothing; four in four weeks are as before
    recorded = features.assign(engagement_trend=[0.9, 0.3, np.nan])
    assert engagement(recorded, 0.5)[:2].tolist() == [0.9, 0.3]


def test_a_wrong_file_of_interventions_is_named(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "high: 0.4\nmedium: 0.5\nengagement: 0.5\nholdout: 0.1\nhorizon_days: 28\nbudget: 1\ninterventions:\n"
        "  gift: {cost: -1, saves: 0.1, strategy: incentive_programs}\n"
    )
    with pytest.raises(ValueError, match=r"own.yaml: interventions.gift.cost: .*greater than or equal to 0"):
        read(file)
    file.write_text(file.read_text().replace("-1", "1"))
    with pytest.raises(ValueError, match="medium: expected below high"):
        read(file)
