"""What may be spent, set and stopped by the command: decisions see it in the state at once."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from features.settings import Settings
from pipelines.cli import main
from serving.decisions.endpoint.server import state_store
from serving.decisions.params import read
from serving.decisions.records import Opportunity, State

PARAMS = str(Path(__file__).parents[3] / "params.yaml")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path))


def adloop(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--params", PARAMS])


def state() -> State:
    asked = Opportunity("look", 1.7e9, "acme", "spring")
    return state_store(Settings(), read(Path(PARAMS))[0]).load([asked], "")[0]


def test_a_budget_is_in_force_at_once() -> None:
    assert state().campaign.left == 0
    told = adloop("budget", "acme", "spring", "--daily", "50", "--total", "1000", "--target-cpc", "0.8")
    assert told.output == "spring of acme: 50 a day, 1000 in all\n"
    assert adloop("budget", "acme", "--daily", "20").output == "all of acme: 20 a day\n"
    found = state()
    assert (found.campaign.daily_limit, found.campaign.limit, found.target_cpc) == (50.0, 1000.0, 0.8)
    assert (found.account.daily_limit, found.account.limit) == (20.0, None)
    assert adloop("budget", "acme").output == "all of acme: no limit\n"
    assert state().account.left is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("spring",), "--daily: expected the campaign's daily budget"),
        (("spring", "--daily", "-5"), "daily_limit: expected a number from 0"),
        (("spring", "--daily", "nan"), "daily_limit: expected a number from 0"),
        (("--total", "-1"), "limit: expected a number from 0"),
    ],
)
def test_what_is_no_budget_is_refused_and_changes_nothing(words: tuple[str, ...], said: str) -> None:
    told = adloop("budget", "acme", *words)
    assert told.exit_code != 0 and said in told.output
    assert state().campaign.daily_limit == 0 and state().account.daily_limit is None


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
    assert told.exit_code == 1 and "expected text of 1 to" in told.output
    assert state().killed == "spend looks wrong"


def test_a_store_that_is_away_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_REDIS_URL", "redis://127.0.0.1:1/0")
    told = adloop("kill", "--why", "spend looks wrong")
    assert (told.exit_code, told.output[:29]) == (1, "Error: Redis does not answer:")
