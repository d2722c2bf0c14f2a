"""`adloop prevent` from a plan to what came of it, and to the next plan that learnt from it."""

import json

import business
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from features.settings import Settings
from features.tables import Tables
from pipelines import prevention
from pipelines.cli import main
from pipelines.customer_scores import CustomerChampion, ScoredCustomers, features_at
from serving.campaigns.customers.effect import effects
from serving.campaigns.customers.interventions import read
from serving.campaigns.customers.prevention import HOLDOUT

AT = business.START + pd.Timedelta(days=300)
POLICY = read(None).model_copy(update={"budget": 1e6, "holdout": 0.4})


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Tables(business.write(tmp_path_factory.mktemp("shop") / "tables", customers=1400))


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


class Incentives:
    """A churn model that recommends the same to everybody."""

    def explain(self, rows):
        return pd.DataFrame({"intervention": "incentive_programs"}, index=rows.index)


def scored(tables, at=AT):
    """All customers at high risk, with a feature that the uplift model may read."""
    ids = pd.read_parquet(tables.path("customers"))["customer_id"]
    rng = np.random.default_rng(0)
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "risk": 0.8,
            "value": rng.gamma(3, 100, len(ids)),
            "engagement": np.nan,
        }
    )
    return ScoredCustomers(
        at, customers, pd.DataFrame(index=customers.index), {"risk": CustomerChampion("churn", "1", Incentives(), ())}
    )


def test_a_plan_is_kept_measured_and_learnt_from(tables, settings):
    done = prevention.plan(scored(tables), {}, POLICY, settings)
    target = prevention.keep(done, settings)
    assert pd.read_parquet(target).equals(done.rows)
    with pytest.raises(ValueError, match="expected no plan of this day"):
        prevention.keep(done, settings)
    earlier = prevention.past(tables, POLICY.horizon_days, settings)
    assert len(earlier) == len(done.rows)
    total = effects(earlier)[0]
    assert total.retention.low < 0 < total.retention.high  # nobody got anything
    assert total.roi.high < 5
    models = prevention.learnt(earlier, tables, 0, settings)
    assert set(models) == {"incentive"}
    assert abs(models["incentive"].mean) < 3 * (total.value.high - total.value.low)


def test_what_an_intervention_brought_is_measured_and_used_by_the_next_plan(tables, settings, tmp_path):
    """Those who got something buy once more, for 30."""
    done = prevention.plan(scored(tables), {}, POLICY, settings)
    prevention.keep(done, settings)
    acted = done.rows.loc[done.rows["arm"] != HOLDOUT, "customer_id"]
    bought = pd.read_parquet(tables.path("transactions"))
    more = pd.DataFrame({"customer_id": acted, "occurred_at": AT + pd.Timedelta(days=9), "amount": 30.0})
    later = Tables(tmp_path / "later")
    later.folder.mkdir()
    for name in tables.names:
        later.path(name).write_bytes(tables.path(name).read_bytes())
    pd.concat([bought, more.assign(product_id="p1", channel="shop")]).to_parquet(
        later.path("transactions"), index=False, coerce_timestamps="us"
    )
    earlier = prevention.past(later, POLICY.horizon_days, settings)
    total = effects(earlier)[0]
    assert total.value.low > 10 and total.retention.low > 0.2
    assert total.roi.low > 1  # 30 for an incentive of 5
    models = prevention.learnt(earlier, later, 0, settings)
    found = scored(later, AT + pd.Timedelta(days=60))
    given = ScoredCustomers(found.at, found.customers, features_of(later, found, settings), found.champions)
    after = prevention.plan(given, models, POLICY, settings).rows
    assert set(after["evidence"]) == {"measured"}
    assert after["saved"].mean() == pytest.approx(total.value.value, rel=0.5)


def features_of(tables, found, settings):
    return features_at(tables, found.customers[["customer_id"]].assign(occurred_at=found.at), settings)


def test_customers_of_a_running_plan_are_left_alone(tables, settings):
    prevention.keep(prevention.plan(scored(tables), {}, POLICY, settings), settings)
    soon, later = (
        prevention.plan(scored(tables, AT + pd.Timedelta(days=days)), {}, POLICY, settings) for days in (14, 40)
    )
    assert soon.rows.empty
    assert len(later.rows) > 1300


def test_an_experiment_among_exposures_is_read_as_a_past_plan(tables, tmp_path):
    folder = tmp_path / "with"
    folder.mkdir()
    for name in tables.names:
        (folder / f"{name}.parquet").write_bytes(tables.path(name).read_bytes())
    ids = pd.read_parquet(tables.path("customers"))["customer_id"]
    rows = pd.DataFrame({"experiment_id": "gift", "unit_id": ids, "arm": np.where(ids.index % 3, "gift", "control")})
    rows.assign(occurred_at=AT).to_parquet(folder / "exposures.parquet", index=False)
    found = prevention.experiments(["incentive=gift"], Tables(folder), POLICY)
    assert found["arm"].value_counts().to_dict() == {"incentive": 933, HOLDOUT: 467}
    assert {"bought", "stayed"} <= set(found)
    with pytest.raises(LookupError, match="no experiment other"):
        prevention.experiments(["incentive=other"], Tables(folder), POLICY)
    with pytest.raises(ValueError, match="with one of outreach, incentive, feature, frequency, got 'gift'"):
        prevention.experiments(["gift"], Tables(folder), POLICY)


def test_the_command_says_what_is_missing(tables, tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(main, ["prevent", "--data", str(tables.folder)])
    assert done.exit_code == 1
    assert "churn has no champion: adloop run --family churn" in done.stderr
    done = CliRunner().invoke(main, ["prevent", "--data", str(tables.folder), "--effect"])
    assert "expected a plan whose days are over" in done.stderr


def test_a_plan_as_json_says_why(tables, settings):
    told = json.loads(prevention.plan_json(prevention.plan(scored(tables), {}, POLICY, settings)))
    assert told["customers"] == 1400
    assert "churn probability 0.80" in told["plan"][0]["reason"]
