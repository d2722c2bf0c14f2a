"""Customers are kept and grown by the released models of a small business."""

import json
import shutil

import business
import pandas as pd
import pytest
import small
from click.testing import CliRunner

from components.featurize.step import featurize
from components.ingest.step import ingest
from components.register.step import register
from components.train.step import train
from features.settings import Settings
from models.registry import Registry
from pipelines.cli import main
from tests.integration.small_market import judged


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return business.write(tmp_path_factory.mktemp("business") / "tables", customers=150)


@pytest.fixture(scope="module")
def home(data, registry_home, tmp_path_factory):
    """Both families of customers, trained and promoted; that they pass their gates is not what is tested here."""
    work = tmp_path_factory.mktemp("work")
    settings = Settings(home=shutil.copytree(registry_home, work / "home"), detectors="scipy")
    ingest([str(data)], work / "tables", settings)
    for family in ("churn", "ltv"):
        section, folder = small.section(family), work / family
        featurize(work / "tables", family, section, None, settings, folder / "features", online=False)
        train(folder / "features", family, section, folder / "checkpoint", folder / "bundle")
        done = register(folder / "bundle", judged(folder / "bundle", folder / "evaluation"), settings)
        Registry(settings).promote(family, done.version)
    return settings.home


@pytest.fixture
def adloop(home, data, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(home))

    def run(*command):
        done = CliRunner().invoke(main, [*map(str, command), "--data", str(data)])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


POLICY = """
high: 0.7
medium: 0.5
engagement: 0.5
holdout: 0.1
horizon_days: 28
budget: 500
interventions:
  outreach: {cost: 0.01, saves: 0.3, strategy: personalized_outreach}
  incentive: {cost: 0.01, saves: 0.3, strategy: incentive_programs}
  feature: {cost: 0.01, saves: 0.3, strategy: product_improvements}
  frequency: {cost: 0.01, saves: 0.3, strategy: communication_optimization}
"""


def test_a_plan_names_customers_interventions_and_versions(adloop, home, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    asked = ("--interventions", policy, "--as-of", "2023-11-01", "--budget", 0.2)
    told = json.loads(adloop("prevent", "--json", *asked))
    assert told["versions"] == {"churn": "1", "ltv": "1"}
    assert told["customers"] == 150
    plan = pd.read_parquet(home / "prevention" / "2023-11-01.parquet")
    assert len(plan) == len(told["plan"]) > 0
    assert plan["cost"].sum() <= 0.2 + 1e-9
    assert (plan["risk"].ge(0.5) | plan["trigger"].eq("declining_engagement")).all()
    assert plan["at_stake"].equals(plan["risk"] * plan["value"])


def test_the_best_customers_are_shown_with_what_they_may_buy(adloop, home):
    told = json.loads(adloop("customers", "growth", "--by", "product_id", "--json"))
    best = [row for row in told["customers"] if row["top"]]
    assert len(best) == 15
    assert all(row["value"] >= best[-1]["value"] for row in best)
    assert pd.read_csv(home / "growth" / "customers.csv")["customer_id"].nunique() == 150


def test_channels_are_compared_by_what_their_customers_are_worth(adloop, home):
    found = {one["channel"]: one for one in json.loads(adloop("customers", "acquisition", "--window", 60, "--json"))}
    assert sum(one["customers"] for one in found.values()) == 150
    targets = pd.read_csv(home / "acquisition" / "targets.csv").set_index("channel")["predicted_value"]
    assert targets["(none)"] == pytest.approx(found["(none)"]["target"])
