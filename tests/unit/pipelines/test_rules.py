"""`adloop rules`: check, test, run and log on a folder of tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from serving.integrations.ledger import FILE, KnownObject, WriteLedger
from tests.unit.serving.campaigns.rules.account import EXAMPLE

FIRST = pd.Timestamp("2026-06-01")
#: An hour after the last day that is counted.
AT = "2026-09-01T01:00"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng, folder = np.random.default_rng(1), tmp_path / "data"
    folder.mkdir()
    rows = []
    for campaign, cpa in (("usual", 40.0), ("dear", 200.0)):
        for day in pd.date_range(FIRST, periods=92):
            late = day >= FIRST + pd.Timedelta("60D")
            conversions = float(rng.poisson(400 / (cpa if late else 40.0)))
            rows.append(
                {"creative_id": f"ad-{campaign}", "campaign_id": campaign, "occurred_at": day, "spend": 400.0}
                | {"impressions": 20_000.0, "clicks": 333.0, "conversions": conversions}
            )
    frame = pd.DataFrame(rows)
    frame.to_parquet(folder / "impressions.parquet")
    frame[["creative_id", "campaign_id"]].drop_duplicates().to_parquet(folder / "creatives.parquet")
    return folder


def adloop(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["rules", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_file_is_checked_and_a_typo_is_named(home: Path, tmp_path: Path) -> None:
    assert "cpa above 2 times target in last 14 days" in " ".join(adloop("check", str(EXAMPLE)).split())
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(EXAMPLE.read_text().replace("metric: spend", "metric: spent"))
    done = CliRunner().invoke(main, ["rules", "check", str(wrong)])
    assert done.exit_code == 1
    assert "wrong.yaml, line 14: rules.0.when.all.1.metric: unknown metric 'spent'; did you mean spend?" in done.stderr


def test_a_test_says_what_would_have_been_done_and_saved(home: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = json.loads(adloop("test", str(EXAMPLE), "--data", str(data), "--last", "40d", "--out", str(out), "--json"))
    assert {one["object_id"] for one in told["acted"] if one["rule"] == "stop-dear-ads"} == {"ad-dear"}
    assert told["net"]["low"] > 0
    assert len(told["data_hash"]) == 64
    assert sorted(file.name for file in out.iterdir()) == ["acted.csv", "days.csv", "saved.png"]
    assert len(pd.read_csv(out / "days.csv")) == 40


def test_rules_run_once_a_half_hour_and_are_explained(home: Path, data: Path) -> None:
    ledger = WriteLedger(home / FILE)
    ledger.see(
        KnownObject("meta", "act_4711", "campaign", name, {"status": "live", "daily_budget": 400.0})
        for name in ("usual", "dear")
    )
    run = ("run", str(EXAMPLE), "--data", str(data), "--at", AT)
    assert "would be intended" in adloop(*run, "--dry-run")
    assert ledger.of("meta", "act_4711", "intended") == []
    changes = json.loads(adloop(*run, "--json"))["changes"]
    assert json.loads(adloop(*run, "--json"))["changes"] == []
    wanted = {
        (one.change.object, one.change.target): one.change.fields for one in ledger.of("meta", "act_4711", "intended")
    }
    assert len(changes) == len(wanted)
    assert wanted["ad", "ad-dear"] == {"status": "paused"}
    assert wanted["campaign", "dear"] == {"daily_budget": 320.0}
    (why,) = json.loads(adloop("log", str(EXAMPLE), "--rule", "cut-dear-campaigns", "--object", "dear", "--json"))
    assert why["tri"] == "yes"
    assert "320 now, the rest is queued" in why["done"][0]
    ledger.close()


def test_without_counts_a_run_says_what_to_do(home: Path) -> None:
    done = CliRunner().invoke(main, ["rules", "run", str(EXAMPLE), "--at", AT])
    assert done.exit_code == 1
    assert "run adloop sync meta first" in done.stderr
