"""The commands of platforms, one after the other as a user goes, against Meta's fake."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from features.settings import Settings
from pipelines import platforms
from pipelines.cli import main
from tests.fakes import catalog as fakes
from tests.fakes.fake import Running, running

Run = Callable[..., str]


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Running]:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    with running(fakes.fake("meta")) as fake:
        fake.connect(monkeypatch.setenv)
        yield fake


@pytest.fixture
def adloop() -> Run:
    def run(*said: str, fails: bool = False) -> str:
        done = CliRunner().invoke(main, said)
        assert (done.exit_code != 0) == fails, done.output
        return done.output

    return run


def test_a_users_path(meta: Running, adloop: Run, tmp_path: Path) -> None:
    assert "ads_management" in adloop("connect", "meta")
    assert "3 days read: 6 impressions" in adloop("sync", "--days", "3")
    assert (tmp_path / "home" / "synced" / "impressions.parquet").exists()
    raised, bid = meta.fake.update("raise", 5), "bid 1.2 -> 1.05"
    assert raised is not None
    with platforms.ledger(Settings()) as ledger:
        ledger.intend([*meta.fake.creations(1), raised, meta.fake.refusal[0]], time.time())
    assert "tiny: daily_budget" in adloop("apply", "--dry-run")
    assert "2 changes confirmed, 1 refused" in adloop("apply")
    found = {one["change"]["change_id"]: one["status"] for one in json.loads(adloop("changes", "--json"))}
    assert found == {"spring-0": "confirmed", "raise": "confirmed", "tiny": "refused"}
    assert bid in " ".join(adloop("changes").split())
    assert "undo:raise: confirmed" in adloop("undo", "raise", "--by", "ann")
    assert any(line["who"] == "ann" for line in json.loads(adloop("timeline", "--json")))


def test_an_edit_by_a_person_holds_the_object_until_it_is_lifted(meta: Running, adloop: Run) -> None:
    raised = meta.fake.update("raise", 5)
    assert raised is not None
    with platforms.ledger(Settings()) as ledger:
        ledger.intend([raised], time.time())
    adloop("apply")
    meta.state.edit("ad_group", raised.target, {"bid": 3.0}, "bob")
    assert "bob changed bid from 1.05 to 3.0" in adloop("sync", "--days", "1")
    assert "changed" in adloop("undo", "raise", fails=True)
    assert "--why" in adloop("holds", "--lift", "meta", "ad_group", raised.target, fails=True)
    adloop("holds", "--lift", "meta", "ad_group", raised.target, "--why", "bob is right")
    assert json.loads(adloop("holds", "--json")) == []


def test_without_credentials_the_variables_are_named(
    adloop: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path))
    assert "ADLOOP_META_ACCESS_TOKEN" in adloop("connect", "meta", fails=True)
    assert "docs/platforms.md" in adloop("apply", fails=True)


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Running]:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))
    with running(fakes.fake("salesforce")) as fake:
        fake.connect(monkeypatch.setenv)
        yield fake


def test_scores_come_to_leads_and_only_news_the_next_day(salesforce: Running, adloop: Run, tmp_path: Path) -> None:
    scores = tmp_path / "scores"
    scores.mkdir()
    rows = pd.DataFrame({"customer_id": ["ann", "bob"], "churn_probability": [0.8, 0.2], "risk_band": ["high", "low"]})
    said = ("leads", "score", "salesforce", "--scores", str(scores))
    said += ("--score", "churn_probability", "--reason", "risk_band")
    rows.to_parquet(scores / "part.parquet")
    assert "2 changes are wanted" in adloop(*said)
    assert "2 changes confirmed, 0 refused" in adloop("apply", "salesforce")
    rows.assign(churn_probability=[0.9, 0.2]).to_parquet(scores / "part.parquet")
    assert "1 changes are wanted" in adloop(*said)
    assert "1 changes confirmed" in adloop("apply", "salesforce")
    assert "expected a column risk" in adloop(*said[:-1], "risk", fails=True)
