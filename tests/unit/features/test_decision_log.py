"""The endpoint's log and its feedback as auctions: what was bid, what came of it, and what is not known."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from features import sources
from features.settings import Settings
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.log.writer import DecisionLog
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Grant
from tests.unit.serving.decisions.logged import PARAMS, decided


def write(place: Path) -> Path:
    """Nine decisions and what was told of the first six, in a folder as an endpoint keeps it."""
    feedback = Feedback(place / "feedback.db", SqliteStore(place / "state.db", PARAMS), PARAMS)
    log = DecisionLog(place / "log", PARAMS, feedback.expect)
    for at in range(7):
        log.append(*decided(at))
    log.append(*decided(0, Grant("again", decided(0)[4].amount)))
    log.append(*decided(7, Grant("refused", 0.0, "nothing is left")))
    asked, *more = decided(8)
    log.append(replace(asked, features={"predicted_ctr": 0.2, "predicted_value": 3.5}), *more)
    log.append(*decided(500))  # nothing was told since
    log.close()
    feedback.take(
        [
            told(0, "impression", cost=0.25),
            told(0, "click", after=60),
            told(0, "conversion", after=90, value=20.0),
            told(0, "conversion", "refund", after=95, value=-5.0),
            told(1, "loss"),
            told(2, "impression"),  # won, and nobody says at what price
            told(3, "click"),
            told(3, "impression", cost=0.5),
            told(5, "conversion", value=-2.0),
            told(99, "impression", cost=0.5),
            told(8, "impression", after=100, cost=0.75),
        ]
    )
    feedback.close()
    return place


def told(at: int, kind: str, which: str = "", after: float = 10, **more: float) -> Observed:
    made = decided(at)[4]
    return Observed(f"{kind} {at} {which}", made.account_id, made.decision_id, kind, made.decided_at + after, **more)


@pytest.fixture(params=["decision_log", "folder"])
def auctions(request: pytest.FixtureRequest, tmp_path: Path) -> pd.DataFrame:
    place = write(tmp_path / "decisions")
    source = "decision_log" if request.param == "decision_log" else str(place)
    settings = Settings(home=tmp_path)
    assert sources.tables(source, settings) == ("auctions",) and sources.learns([source], settings)
    sources.read([source], tmp_path / "read", settings)
    return pd.read_parquet(tmp_path / "read" / "auctions.parquet")


def test_each_auction_that_was_bid_for_is_there_once_with_what_came_of_it(auctions: pd.DataFrame) -> None:
    made = {at: decided(at)[4] for at in (0, 1, 3, 4, 5, 6, 8)}
    assert auctions["decision_id"].tolist() == [one.decision_id for one in made.values()]
    assert auctions["won"].tolist() == [1, 0, 1, 0, 0, 0, 1]
    bids = [one.amount for one in made.values()]
    assert auctions["market_price"].tolist() == [0.25, bids[1], 0.5, *bids[3:6], 0.75]
    assert auctions["bid"].tolist() == bids
    assert auctions["click"].tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert auctions["conversion_value"].tolist() == [15, 0, 0, 0, 0, 0, 0]
    first = auctions.iloc[0]
    start = pd.Timestamp(made[0].decided_at, unit="s")
    assert (first["occurred_at"], first["clicked_at"]) == (start, start + pd.Timedelta("60s"))
    assert first["converted_at"] == start + pd.Timedelta("90s")
    for name in ("campaign_id", "account_id", "arm", "propensity", "explored"):
        assert auctions[name].tolist() == [getattr(one, name) for one in made.values()]


def test_what_it_was_worth_is_as_the_caller_said_or_else_as_the_model_did(auctions: pd.DataFrame) -> None:
    assert auctions["predicted_ctr"].tolist() == [0.01] * 6 + [0.2]
    assert auctions["predicted_value"].dropna().tolist() == [3.5]


def test_the_fingerprint_follows_what_comes_of_decisions(tmp_path: Path) -> None:
    place, settings = write(tmp_path / "decisions"), Settings(home=tmp_path)
    before = sources.fingerprint(["decision_log"], settings)
    assert before == sources.fingerprint(["decision_log"], settings)
    feedback = Feedback(place / "feedback.db", SqliteStore(place / "state.db", PARAMS), PARAMS)
    feedback.take([told(4, "impression", cost=0.1)])
    assert sources.fingerprint(["decision_log"], settings) != before


def test_without_a_log_it_says_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="decisions: no decision that something came of is logged"):
        sources.tables("decision_log", Settings(home=tmp_path))
    assert not sources.learns(["auction_simulator", "cdnow"], Settings(home=tmp_path))


@pytest.mark.parametrize("told_at", ["NULL", str(time.time_ns())], ids=["not told", "told now"])
def test_an_event_dated_ahead_makes_no_bid_a_lost_one(tmp_path: Path, told_at: str) -> None:
    """One that was accepted before such were refused, and one of a clock that ran ahead by a minute."""
    place, settings = write(tmp_path / "decisions"), Settings(home=tmp_path)
    made = decided(1)[4]
    at = 4e9 if told_at == "NULL" else time.time() + 60
    with closing(sqlite3.connect(place / "feedback.db")) as db, db:
        row = "INSERT INTO event VALUES ('ours', 'ahead', ?, 'impression', ?, 0.5, 0, 1, {told})"
        db.execute(row.format(told=told_at), [made.decision_id, at])
    log = DecisionLog(place / "log", PARAMS)
    asked, *more = decided(600)
    log.append(replace(asked, occurred_at=time.time() + 30), *more[:-1], replace(more[-1], decided_at=time.time() + 30))
    log.close()
    sources.read(["decision_log"], tmp_path / "read", settings)
    found = pd.read_parquet(tmp_path / "read" / "auctions.parquet").set_index("decision_id")
    assert decided(600)[4].decision_id not in found.index
    assert found["won"][made.decision_id] == 1
