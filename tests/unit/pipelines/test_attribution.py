"""`adloop attribution`, from tables to its files: retargeting follows buyers and causes nothing."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipelines.cli import main


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """2,000 customers who meant to buy or not; retargeting reaches those who did, but for a random fifth."""
    folder, rng, count = tmp_path_factory.mktemp("shop"), np.random.default_rng(0), 2000
    ids, day = np.array([f"c{at}" for at in range(count)]), pd.Timestamp("2026-03-01")
    buys = rng.random(count) < 0.4
    eligible = buys | (rng.random(count) < 0.1)
    held = eligible & (rng.random(count) < 0.2)
    spent = np.where(buys, rng.gamma(2, 20, count), 0)
    search = pd.DataFrame({"customer_id": ids, "occurred_at": day, "channel": "search", "campaign_id": "s"})
    reached = eligible & ~held
    late = pd.DataFrame(
        {
            "customer_id": ids[reached],
            "occurred_at": day + pd.Timedelta("2D"),
            "channel": "retargeting",
            "campaign_id": "r",
        }
    )
    orders = pd.DataFrame({"customer_id": ids[buys], "occurred_at": day + pd.Timedelta("3D"), "amount": spent[buys]})
    exposures = pd.DataFrame(
        {
            "experiment_id": "retargeting_holdout",
            "unit_id": ids[eligible],
            "arm": np.where(held[eligible], "holdout", "shown"),
            "occurred_at": day + pd.Timedelta("2D"),
            "value": spent[eligible],
        }
    )
    tables = {"customers": pd.DataFrame({"customer_id": ids}), "touches": pd.concat([search, late])}
    for name, frame in {**tables, "transactions": orders, "exposures": exposures}.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def adloop(tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))

    def run(*command, code=0):
        done = CliRunner().invoke(main, ["attribution", *map(str, command)])
        assert done.exit_code == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_a_holdout_shows_that_last_touch_is_wrong(adloop, data, tmp_path):
    told = json.loads(
        adloop("--data", data, "--holdout", "retargeting=retargeting_holdout", "--out", tmp_path, "--json")
    )
    found = {row["channel"]: row for row in told["channels"]}
    retargeting = found["retargeting"]
    assert retargeting["last_touch"] > 20_000
    assert retargeting["credit_low"] < 0 < retargeting["credit_high"]
    assert retargeting["measured"]
    assert not found["search"]["measured"]
    assert pd.read_csv(tmp_path / "credit.csv")["channel"].tolist() == list(found)
    assert (tmp_path / "credit.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_says_what_credit_is_without_a_holdout(adloop, data):
    shown = adloop("--data", data)
    assert "not what the channel caused" in shown
    assert "retargeting" in shown


def test_wrong_options_are_named(adloop, data):
    assert "--holdout: expected CHANNEL=EXPERIMENT" in adloop("--data", data, "--holdout", "email", code=1)
    assert "no experiment nothing" in adloop("--data", data, "--holdout", "search=nothing", code=1)
    assert "column 'medium'" in adloop("--data", data, "--by", "medium", code=1)
