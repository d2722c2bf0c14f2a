"""`adloop experiment`, from the command line to its files, on tables of exposures, of decisions and of impressions."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipelines.cli import main

PLAN = ["--metric", "converted", "--rate", "0.05", "--lift", "0.2", "--daily", "714"]
START = pd.Timestamp("2026-03-02")


@pytest.fixture
def adloop(tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))

    def run(*command, code=0, text=None):
        done = CliRunner().invoke(main, ["experiment", *map(str, command)], input=text)
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """20,000 visitors in four weeks; B converts two fifths more, phones of women not more than others."""
    folder, rng, count = tmp_path_factory.mktemp("data"), np.random.default_rng(0), 20_000
    arm, before = rng.choice(["A", "B"], count), rng.normal(10, 3, count)
    visitors = pd.DataFrame(
        {
            "experiment_id": "headline",
            "unit_id": [f"visitor-{number}" for number in range(count)],
            "arm": arm,
            "occurred_at": START + pd.to_timedelta(rng.integers(0, 28 * 24, count), unit="h"),
            "converted": rng.binomial(1, np.where(arm == "B", 0.07, 0.05)),
            "spent": 0.8 * before + rng.normal(0, 1.5, count) + 0.2 * (arm == "B"),
            "before": before,
            "device": rng.choice(["phone", "desktop"], count),
        }
    )
    visitors.to_csv(folder / "exposures.csv", index=False)
    return folder


def test_an_experiment_from_plan_to_its_place_in_the_list(adloop, data):
    assert "16,316 units, 8,158 in the smallest arm" in adloop("plan", "headline", *PLAN, "--attribute", "device")
    assert "headline runs from 2026-03-02" in adloop("start", "headline", "--on", "2026-03-02")
    early = adloop("status", "headline", "--data", data, "--as-of", "2026-03-05")
    assert "withheld: 4 of the first 7 full days" in early
    done = adloop("stop", "headline", "--data", data, "--on", "2026-03-29")
    assert "ship B: B +" in done
    assert "no gain shown" in done
    told = json.loads(adloop("list", "--json"))
    (found,) = told["findings"]
    effect, better = found["effects"][0], found["corrected"]["B"]
    assert effect["low"] > 0
    assert 0 < better["value"] < effect["value"]
    assert found["gain"]["value"] < found["gain"]["raw"]
    assert told["experiments"][0]["outcome"] == "ship B"
    assert "more converted in 30 days" in adloop("list")


def test_a_covariate_makes_an_amount_sharper(adloop, data):
    adloop("plan", "headline", "--metric", "spent", "--mean", 8, "--sd", 3, "--lift", 0.03, "--daily", 714)
    adloop("start", "headline", "--on", "2026-03-02")
    found = json.loads(adloop("status", "headline", "--data", data, "--json"))
    assert found["saved"] == pytest.approx(0.72, abs=0.03)
    assert found["effects"][0]["low"] < 0.2 / 8 < found["effects"][0]["high"]
    assert found["verdict"]["word"] == "ship"


def test_units_get_arms_that_stay(adloop):
    adloop("plan", "headline", *PLAN, "--traffic", 0.5)
    units = "\n".join(f"visitor-{number}" for number in range(400))
    first = adloop("assign", "headline", "-", text=units)
    assert first == adloop("assign", "headline", "-", text=units)
    arms = pd.read_csv(pd.io.common.StringIO(first))["arm"].fillna("none").value_counts()
    assert arms["none"] == pytest.approx(200, abs=50)
    assert arms["A"] == pytest.approx(100, abs=40)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            ["plan", "x", "--metric", "clicks", "--rate", "0.014", "--lift", "0.1", "--per-arm", "40000"],
            "too small: 40,000",
        ),
        (["plan", "x", *PLAN[:-1], "100"], "too small: 2,800 an arm, and 8,158 an arm are needed"),
        (["plan", "", *PLAN], "name: String should have at least 1 character"),
        (["plan", "x", *PLAN, "--arm", "A=0.5", "--arm", "B=half"], "--arm NAME=SHARE: expected a number, got 'half'"),
        (["plan", "x", *PLAN, "--arm", "A=1"], "share: Input should be less than 1"),
        (["plan", "x", *PLAN, "--guard", "complaints=up"], "worse: Input should be 'higher' or 'lower'"),
        (["plan", "x", *PLAN, "--guard", "complaints"], "METRIC=WORSE[:TOLERATED]: a name and '=' are missing in 'com"),
        (["plan", "x", *PLAN, "--guard", "=higher"], "a name and '=' are missing in '=higher'"),
        (["plan", "x", *PLAN, "--arm", "A"], "--arm NAME=SHARE: a name and '=' are missing in 'A'"),
        (["plan", "x", *PLAN, "--mean", "3"], "expected either --rate, or --mean and --sd"),
        (["start", "x"], "no experiment 'x'"),
    ],
)
def test_errors_say_what_to_do(adloop, command, told):
    assert told in adloop(*command, code=1)


def test_a_last_day_before_the_first_is_refused_and_the_experiment_runs_on(adloop, data):
    adloop("plan", "headline", *PLAN)
    adloop("start", "headline", "--on", "2026-03-02")
    said = adloop("stop", "headline", "--data", data, "--on", "2026-03-01", code=1)
    assert "Error: stopped_on: expected a day from 2026-03-02" in said
    assert json.loads(adloop("list", "--json"))["experiments"][0]["state"] == "running"


def test_data_without_the_experiment_is_told(adloop, data, tmp_path):
    adloop("plan", "button", *PLAN)
    assert "adloop experiment start button" in adloop("status", "button", code=1)
    adloop("start", "button", "--on", "2026-03-02")
    assert "no row of experiment 'button'" in adloop("status", "button", "--data", data, code=1)
    assert "--data DIR" in adloop("status", "button", code=1)
    assert "no experiment yet" not in adloop("list")


def test_a_plan_answers_before_it_is_kept(adloop):
    assert "enough: 116,002 units" in adloop(
        "plan", "x", "--metric", "clicks", "--rate", 0.014, "--lift", 0.1, "--per-arm", 120_000
    )
    assert "no experiment yet" in adloop("list")
