"""State, feedback and parameters of earlier versions are taken over, and of later ones refused."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from features.sources.decision_log import came_of
from serving.decisions.feedback import Feedback
from serving.decisions.kinds.bid import Auction
from serving.decisions.log import params as stored
from serving.decisions.state.pages import account_key, campaign_key
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import FeedbackEvent, Receipt, Reservation, StoreUnavailable
from tests.unit.serving.decisions.logged import PARAMS, lines
from tests.unit.serving.decisions.told import counters, entry, observed, opened

NOW = time.time()
DAY = 86_400
#: As state was kept when a reservation expired after minutes and knew neither its day nor what it was for.
STATE_BEFORE = """
CREATE TABLE book (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE reservation (
    account TEXT, opportunity TEXT, campaign TEXT, amount INTEGER, expires REAL, open INTEGER,
    PRIMARY KEY (account, opportunity)
) WITHOUT ROWID;
CREATE INDEX reservation_expires ON reservation (open, expires);
CREATE TABLE event (account TEXT, event TEXT, at REAL, PRIMARY KEY (account, event)) WITHOUT ROWID;
CREATE INDEX event_at ON event (at);
"""
#: As events were kept when nobody knew in which order they were told.
FEEDBACK_BEFORE = """
CREATE TABLE decision (account TEXT, decision TEXT, at REAL, facts BLOB, PRIMARY KEY (account, decision)) WITHOUT ROWID;
CREATE TABLE event (
    account TEXT, event TEXT, decision TEXT, kind TEXT, at REAL, cost REAL, value REAL, counted INTEGER DEFAULT 0,
    PRIMARY KEY (account, event)
) WITHOUT ROWID;
"""


def before(path: Path) -> None:
    today = int(NOW // DAY)
    books = {
        campaign_key("a", "c"): {"daily_limit": 10_000_000, "day": today, "today": 1_000_000, "total": 5_000_000},
        campaign_key("a", "d"): {"daily_limit": 10_000_000, "day": today - 1, "today": 9_000_000, "total": 9_000_000},
        account_key("a"): {"day": today, "today": 1_000_000, "total": 14_000_000},
    }
    held = {"c": 4_000_000, "d": 2_000_000}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(STATE_BEFORE)
        for key, value in books.items():
            reserved = held.get(key.rpartition("\x1f")[2], sum(held.values()))
            db.execute("INSERT INTO book VALUES (?, ?)", [key, orjson.dumps({**value, "reserved": reserved})])
        row = "INSERT INTO reservation VALUES ('a', ?, ?, ?, ?, ?)"
        db.execute(row, ["1", "c", 3_000_000, NOW + 200, 1])
        db.execute(row, ["allowance:1", "c", 1_000_000, NOW + 900, 1])
        db.execute(row, ["2", "d", 2_000_000, NOW - 10, 1])
        db.execute(row, ["3", "c", 7_000_000, NOW - 10, 0])
        db.commit()


def look(store: SqliteStore, campaign: str):
    return store.load([Auction("look", NOW, "a", campaign)], "")[0]


def test_what_was_reserved_stays_set_aside_and_is_settled_as_any_hold(tmp_path: Path) -> None:
    before(tmp_path / "state.db")
    now = [NOW]
    store = SqliteStore(tmp_path / "state.db", PARAMS, lambda: now[0])
    spend = look(store, "c").campaign
    assert (spend.today, spend.total, spend.reserved, spend.reserved_before, spend.left) == (1, 5, 4, 0, 5)
    assert (look(store, "d").campaign.today, look(store, "d").campaign.reserved) == (0, 2)
    assert look(store, "c").account.reserved == 6
    assert store.reserve([Reservation("1", "a", "c", 9.0, NOW)])[0].status == "again"
    assert store.record([FeedbackEvent("e", "1", "a", "c", "impression", NOW, 2.5)]) == [Receipt(True)]
    now[0] += PARAMS.keeping.settles_s + 1
    again = SqliteStore(tmp_path / "state.db", PARAMS, lambda: now[0])
    assert (look(again, "c").campaign.reserved, look(again, "c").campaign.total) == (0, 7.5)
    assert look(again, "c").account.reserved == look(again, "d").campaign.reserved == 0


def test_state_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match=r"version 99 of a later adloop"):
        look(SqliteStore(tmp_path / "state.db", PARAMS), "c")


def test_events_of_before_are_counted_and_read_once_each(tmp_path: Path) -> None:
    """Of one bid, win and billing notices with ids of their own, not counted yet; of another, a date far ahead."""
    made = [observed(0, "impression", cost=0.5), observed(0, "impression", " billed", cost=0.5), observed(1, "loss")]
    with closing(sqlite3.connect(tmp_path / "feedback.db")) as db:
        db.executescript(FEEDBACK_BEFORE)
        for one in made:
            row = [one.account_id, one.event_id, one.decision_id, one.kind, one.occurred_at, one.cost, one.value, 0]
            db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute("UPDATE event SET at = 4e9 WHERE kind = 'loss'")
        db.commit()
    came = came_of(tmp_path).set_index("decision_id")
    assert came["cost"][made[0].decision_id] == 0.5
    assert came["told_at"].max() == made[0].occurred_at
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(0)]))
    assert (counters(store)[0].impressions, counters(store)[0].cost) == (1, 0.5)
    assert feedback.take([observed(0)]) == ["joined"]
    assert came_of(tmp_path).set_index("decision_id")["cost"][made[0].decision_id] == 0.5


def test_a_log_of_before_is_still_read_with_its_parameters(tmp_path: Path) -> None:
    said = json.loads(PARAMS.model_dump_json())
    said["keeping"]["expires_s"] = said["keeping"].pop("settles_s") and 300
    del said["retention"]["valid_s"]
    written = json.dumps(said).encode()
    name = stored.hashlib.sha256(written).hexdigest()
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / f"{name}.json").write_bytes(written)
    assert stored.read(tmp_path, name).bids == PARAMS.bids


def test_a_store_of_before_and_feedback_go_on_together(tmp_path: Path) -> None:
    before(tmp_path / "state.db")
    feedback = Feedback(tmp_path / "feedback.db", SqliteStore(tmp_path / "state.db", PARAMS), PARAMS)
    assert feedback.standing == {"state": "counting", "set_aside": 0}
