"""`adloop geo`, from a file of regions to its table, JSON and plot."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipelines.cli import main


@pytest.fixture
def adloop(tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))

    def run(*command, code=0):
        done = CliRunner().invoke(main, ["geo", *map(str, command)])
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """Ten cities for ten weeks; in the last two a campaign adds a fifth in Lyon."""
    file, rng = tmp_path_factory.mktemp("geo") / "sales.csv", np.random.default_rng(0)
    days, names = pd.date_range("2026-01-05", periods=70), ["Lyon", *(f"city {at}" for at in range(9))]
    course = 100 + np.cumsum(rng.normal(0, 2, 70))
    rows = []
    for name in names:
        sold = course * rng.uniform(0.5, 2) * (1 + rng.normal(0, 0.02, 70))
        sold[-14:] *= 1.2 if name == "Lyon" else 1
        rows.append(pd.DataFrame({"region": name, "day": days.date, "value": sold}))
    pd.concat(rows).to_csv(file, index=False)
    return file


def test_an_effect_is_measured(adloop, sales, tmp_path):
    told = json.loads(adloop("analyse", sales, "--treated", "Lyon", "--from", "2026-03-02", "--json"))
    assert 0.15 < told["lift"]["value"] < 0.25
    assert told["lift"]["low"] > 0
    assert sum(day["treated"] for day in told["days"]) == 14
    assert (tmp_path / "home/geo/effect.png").is_file()
    assert "an effect is shown" in adloop("analyse", sales, "--treated", "Lyon", "--from", "2026-03-02")


def test_a_test_is_planned_on_the_past(adloop, sales, tmp_path):
    shown = adloop("plan", sales, "--treated", "city 1", "--days", 10, "--out", tmp_path)
    assert "cannot be shown by this test" in shown
    assert (tmp_path / "plan.png").is_file()
    (one,) = json.loads(adloop("plan", sales, "--treated", "city 1", "--days", 10, "--json"))
    assert 0 < one["detectable"] < 0.3


def test_what_is_wrong_in_the_file_is_named(adloop, sales, tmp_path):
    rows = pd.read_csv(sales)
    gap, text = tmp_path / "gap.csv", tmp_path / "text.csv"
    rows.drop(index=3).to_csv(gap, index=False)
    rows.astype({"value": object}).replace({"value": {rows["value"][5]: "many"}}).to_csv(text, index=False)
    asked = ("--treated", "Lyon", "--from", "2026-03-02")
    assert "got none for Lyon on 2026-01-08" in adloop("analyse", gap, *asked, code=1)
    assert "column 'value': expected a number, got something else in 1 rows" in adloop("analyse", text, *asked, code=1)
    assert "column 'city' (--region): expected one of its columns" in adloop(
        "analyse", sales, *asked, "--region", "city", code=1
    )
