"""Readiness tells the truth: of a disk, a store and feedback that fail, and of their being well again."""

import gc
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter

from serving.decisions.api import guarded
from serving.decisions.api.guarded import Disk
from serving.decisions.api.intake import FeedbackAway, Intake
from serving.decisions.api.schemas import Counting
from serving.decisions.feedback import Feedback, Observed
from serving.decisions.kinds.bid import Auction
from serving.decisions.log.writer import DecisionLog
from serving.decisions.metrics import FAULTS, UNREADY
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings
from serving.health.readiness import Readiness
from tests.unit.serving.decisions.logged import PARAMS, decided


def test_what_begins_and_what_ends_is_logged_once_and_is_a_gauge(caplog: pytest.LogCaptureFixture) -> None:
    now: dict[str, str | None] = {"log": None, "state": None}
    aside: dict[str, str] = {}
    parts = {name: lambda name=name: now[name] for name in now}  # type: ignore[misc]
    readiness = Readiness(parts, lambda: aside, UNREADY)
    assert readiness.reasons == dict.fromkeys(now, "not checked yet")
    readiness.look()
    readiness.start()
    try:
        assert readiness.reasons == {}
        now["log"], aside["clicks 1"] = "full", "damaged"
        for _ in range(3):
            readiness.look()
        assert readiness.reasons == {"log": "full"} and readiness.left_out == {"clicks 1": "damaged"}
        assert UNREADY.labels("log")._value.get() == 1
        now["log"] = None
        readiness.look()
        assert readiness.reasons == {} and UNREADY.labels("log")._value.get() == 0
    finally:
        readiness.close()
    said = [record.getMessage() for record in caplog.records]
    assert said.count("fault: log: full") == 1
    assert said.count("fault: clicks 1 (left out): damaged") == 1
    assert said.count("recovered: log") == 1


def test_a_folder_that_cannot_be_written_is_found_without_a_request(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    disk = Disk(tmp_path / "home" / "decisions", every_s=0)
    told = disk.fault()
    assert told is not None and "cannot be written: Not a directory" in told
    (tmp_path / "home").unlink()
    assert disk.fault() is None
    assert list((tmp_path / "home" / "decisions").iterdir()) == []


@pytest.mark.parametrize("damage", ["junk", "torn"])
def test_a_damaged_state_is_told_counted_and_well_again_when_it_is_mended(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    SqliteStore(path, PARAMS).configure("a", "c", CampaignSettings(daily_limit=1.0))
    gc.collect()  # it has no other end
    whole = _closed(path)
    path.write_bytes(b"junk " * 3000 if damage == "junk" else whole[:100] + b"\xff" * (len(whole) - 100))
    store, fault = guarded.guarded(SqliteStore(path, PARAMS))
    counted = FAULTS["store"]._value.get()
    with pytest.raises(ConnectionError):
        store.load([Auction("o", time.time(), "a", "c")], "")
    told = fault()
    assert told is not None and str(path) in told
    assert FAULTS["store"]._value.get() == counted + 1
    path.write_bytes(whole)
    assert store.load([Auction("o", time.time(), "a", "c")], "")[0].campaign.daily_limit == 1.0
    assert fault() is None


def _closed(path: Path) -> bytes:
    """The database alone, with what its log held."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    return path.read_bytes()


def test_a_store_that_nobody_asks_is_asked_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "LASTS_S", 0.0)

    def load(*_: Any) -> Any:
        raise guarded.StoreUnavailable("away")

    store = SimpleNamespace(load=load)
    watched = guarded.GuardedStore(store)  # type: ignore[arg-type]
    monkeypatch.setattr(guarded, "LASTS_S", 0.05)
    time.sleep(0.06)
    assert watched.fault() == "away; bids are withheld or conservative until it recovers"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A log with three decisions, which feedback expects."""
    store = SqliteStore(tmp_path / "state.db", PARAMS)
    feedback = Feedback(tmp_path / "feedback.db", store, PARAMS)
    log = DecisionLog(tmp_path / "log", PARAMS, feedback.expect)
    for at in range(3):
        log.append(*decided(at))
    log.close()
    feedback.close()
    return tmp_path


def opened(home: Path) -> Intake:
    store = SqliteStore(home / "state.db", PARAMS)
    path = home / "feedback.db"
    return Intake(path, lambda: Feedback(path, store, PARAMS), home / "log")


def clicked(at: int) -> Observed:
    made = decided(at)[-1]
    return Observed(f"e{at}", made.account_id, made.decision_id, "click", time.time())


def known(taken: Intake, *decisions: int) -> bool:
    """Whether feedback knows the decisions that these events are of."""
    return set(taken.take([clicked(at) for at in decisions])) <= {"joined", "flagged"}


def test_damaged_feedback_is_told_and_refused_while_decisions_go_on(home: Path, monkeypatch: Any) -> None:
    path = home / "feedback.db"
    path.write_bytes(b"not a database at all" * 1000)
    for left in home.glob("feedback.db-*"):
        left.unlink()
    taken = opened(home)
    told = taken.fault()
    assert told is not None and str(path) in told and "move it away" in told
    assert TypeAdapter(Counting).validate_python(taken.standing)["state"] == told
    with pytest.raises(FeedbackAway, match="cannot be opened for feedback"):
        taken.take([clicked(0)])
    log = DecisionLog(home / "log", PARAMS, taken.expect)
    log.append(*decided(3))
    log.close()  # nothing is kept back
    path.unlink()
    until = time.monotonic() + 10
    while taken.fault() is not None:
        assert time.monotonic() < until
        time.sleep(0.05)
    # The new file knows the decisions of the log, those of the time without it too.
    assert known(taken, *range(4))
    taken.close()


def test_feedback_that_breaks_while_it_runs_is_opened_again(home: Path, monkeypatch: Any) -> None:
    taken = opened(home)
    assert taken.fault() is None
    assert taken._feedback is not None

    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(taken._feedback, "take", full)
    with pytest.raises(sqlite3.OperationalError):
        taken.take([clicked(0)])
    assert taken._fault is not None and "disk is full" in taken._fault
    until = time.monotonic() + 10
    while taken.fault() is not None:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert known(taken, 0)
    taken.close()


def test_decisions_that_feedback_missed_are_told_from_the_log(home: Path, monkeypatch: Any) -> None:
    taken = opened(home)
    assert taken._feedback is not None

    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(taken._feedback, "expect", full)
    log = DecisionLog(home / "log", PARAMS, taken.expect)
    log.append(*decided(3))
    log.close()
    until = time.monotonic() + 10
    while taken.fault() is not None:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert known(taken, 3)
    taken.close()
