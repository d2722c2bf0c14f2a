"""What may be spent, set, shown and stopped by the command: decisions see it in the state at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from features.settings import Settings
from pipelines.cli import main
from serving.decisions.kinds.bid import Auction
from serving.decisions.params import read
from serving.decisions.records import Override, State
from serving.decisions.state.configured import state_store
from serving.decisions.state.store import Store

PARAMS = str(Path(__file__).parents[3] / "params.yaml")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path))


def adloop(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--params", PARAMS])


def store() -> Store:
    return state_store(Settings(), read(Path(PARAMS))[0])


def state() -> State:
    return store().load([Auction("look", 1.7e9, "acme", "spring")], "")[0]


def limits() -> tuple[Any, ...]:
    found = state()
    campaign, account = found.campaign, found.account
    return campaign.daily_limit, campaign.limit, found.target_cpc, account.daily_limit, account.limit


def test_a_budget_is_in_force_at_once() -> None:
    assert state().campaign.left == 0
    adloop("budget", "acme", "spring", "--daily", "50", "--total", "1000", "--target-cpc", "0.8")
    adloop("budget", "acme", "--daily", "20")
    assert limits() == (50.0, 1000.0, 0.8, 20.0, None)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("spring", "--daily", "90"), (90.0, 1000.0, 0.8, 20.0, 500.0)),
        (("spring", "--target-cpc", "0.5"), (50.0, 1000.0, 0.5, 20.0, 500.0)),
        (("spring", "--remove", "total"), (50.0, None, 0.8, 20.0, 500.0)),
        (("spring", "--remove", "target-cpc", "--total", "9"), (50.0, 9.0, None, 20.0, 500.0)),
        (("--total", "70"), (50.0, 1000.0, 0.8, 20.0, 70.0)),
        (("--remove", "daily"), (50.0, 1000.0, 0.8, None, 500.0)),
        ((), (50.0, 1000.0, 0.8, 20.0, 500.0)),
        (("spring",), (50.0, 1000.0, 0.8, 20.0, 500.0)),
    ],
)
def test_what_is_not_named_stays(words: tuple[str, ...], left: tuple[Any, ...]) -> None:
    adloop("budget", "acme", "spring", "--daily", "50", "--total", "1000", "--target-cpc", "0.8")
    adloop("budget", "acme", "--daily", "20", "--total", "500")
    told = adloop("budget", "acme", *words)
    assert told.exit_code == 0, told.output
    assert limits() == left


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("acme", "spring", "--daily", "-5"), "daily_limit: expected a number of at least 0"),
        (("acme", "spring", "--daily", "nan"), "daily_limit: expected a finite number"),
        (("acme", "spring", "--daily", "1e9"), "daily_limit: expected a number of at most"),
        (("acme", "--total", "-1"), "limit: expected a number of at least 0"),
        (("acme", "spring", "--daily", "5", "--remove", "daily"), "either a value or --remove daily"),
        (("acme", "spring", "--remove", "daily"), "daily_limit: expected a number"),
        (("acme", "--target-cpc", "1"), "target_cpc: expected one of the fields"),
        (("--daily", "5"), "ACCOUNT: expected the account whose budget"),
        (("ac\nme", "spring", "--daily", "5"), "account_id: expected text without control characters"),
    ],
)
def test_what_is_no_budget_is_refused_and_changes_nothing(words: tuple[str, ...], said: str) -> None:
    told = adloop("budget", *words)
    assert told.exit_code != 0 and said in told.output
    assert state().campaign.daily_limit == 0 and state().account.daily_limit is None
    assert store().budgets() == []


def test_all_that_stands_can_be_listed() -> None:
    assert "no budget is set" in adloop("budget").output
    adloop("budget", "acme", "spring", "--daily", "50", "--target-cpc", "0.8")
    adloop("budget", "acme", "--total", "500")
    adloop("budget", "other", "autumn", "--daily", "7")
    adloop("kill", "acme", "spring", "--why", "spend looks wrong")
    store().override("other", "autumn", Override(0.25, "ann", "launch week"))
    told = adloop("budget").output
    for shown in ("acme", "spring", "50", "0.8", "500", "stopped: spend looks wrong", "ann, bid 0.25: launch week"):
        assert shown in told
    one = json.loads(adloop("budget", "acme", "spring", "--json").output)
    assert [(row["account_id"], row["campaign_id"]) for row in one["budgets"]] == [("acme", None), ("acme", "spring")]
    assert one["killed"] is None and one["budgets"][1]["left"] == 50.0
    adloop("kill", "--why", "audit")
    assert "everything is stopped: audit" in adloop("budget", "acme").output


@pytest.mark.parametrize("what", [(), ("acme",), ("acme", "spring")])
def test_what_was_stopped_stays_so_until_it_is_let_go_on(what: tuple[str, ...]) -> None:
    assert adloop("kill", *what, "--why", "spend looks wrong").exit_code == 0
    assert state().killed == "spend looks wrong"
    assert "expected either" in adloop("kill", *what).output
    assert adloop("kill", *what, "--lift").exit_code == 0
    assert state().killed is None


@pytest.mark.parametrize("wrong", [("--why", ""), ("acme", "", "--why", "x"), ("ac\nme", "--why", "x")])
def test_a_stop_that_is_none_is_refused_and_lets_nothing_go_on(wrong: tuple[str, ...]) -> None:
    adloop("kill", "--why", "spend looks wrong")
    told = adloop("kill", *wrong)
    assert told.exit_code == 1 and "expected text" in told.output
    assert state().killed == "spend looks wrong"


def test_a_store_that_is_away_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_REDIS_URL", "redis://127.0.0.1:1/0")
    told = adloop("kill", "--why", "spend looks wrong")
    assert (told.exit_code, told.output[:29]) == (1, "Error: Redis does not answer:")
