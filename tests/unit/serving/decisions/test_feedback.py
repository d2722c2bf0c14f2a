"""What came of a decision is joined to it once, however late, often or out of order it is told, and by whom."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.records import decisions_folder
from features.sources.decision_log import came_of
from serving.decisions.feedback import Feedback
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.writer import DecisionLog
from serving.decisions.outcomes import CAME, joined
from serving.decisions.records import Action, Counters
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, Grant, Reservation, StoreUnavailable
from tests.unit.serving.decisions.logged import PARAMS, decided, lines
from tests.unit.serving.decisions.told import CAMPAIGNS, DAY, counters, entry, observed, opened, placed, reserved


def test_an_event_is_counted_once_for_its_decision(tmp_path):
    feedback, store = opened(tmp_path)
    placed(feedback, store, 0, 1)
    told = [observed(0, "impression", cost=0.5), observed(0), observed(1, "conversion", value=20.0)]
    assert feedback.take(told) == ["joined"] * 3
    assert feedback.take([told[2], *told]) == ["again"] * 4
    assert counters(store)[:2] == [
        Counters(impressions=1, clicks=1, cost=0.5),
        Counters(conversions=1, conversion_value=20.0),
    ]


def test_one_telling_may_hold_an_event_twice(tmp_path):
    feedback, store = opened(tmp_path)
    placed(feedback, store, 0)
    assert feedback.take([observed(0), observed(0)]) == ["joined", "again"]
    assert counters(store)[0].clicks == 1


def test_what_is_told_before_its_decision_is_counted_when_that_is_known(tmp_path):
    feedback, store = opened(tmp_path)
    reserved(store, 0, 3)
    assert feedback.take([observed(0), observed(3)]) == ["waits", "waits"]
    assert counters(store)[0].clicks == 0
    feedback.expect(lines([entry(0)]))
    assert counters(store)[0].clicks == 1
    feedback.expect(lines([entry(0), entry(3)]))
    assert counters(store)[0].clicks == 2


def test_another_account_cannot_tell_of_ours(tmp_path):
    feedback, store = opened(tmp_path)
    placed(feedback, store, 0)
    assert feedback.take([replace(observed(0), account_id="theirs")]) == ["waits"]
    assert counters(store)[0].clicks == 0
    assert feedback.take([observed(0)]) == ["joined"]


def test_an_impression_settles_the_reservation_and_a_loss_frees_it(tmp_path):
    feedback, store = opened(tmp_path)
    asked = [decided(at)[0] for at in (0, 3)]
    store.reserve([Reservation(one.opportunity_id, "ours", one.campaign_id, 5.0, one.occurred_at) for one in asked])
    feedback.expect(lines([entry(0), entry(3)]))
    feedback.take([observed(0, "impression", cost=1.25), observed(3, "loss")])
    (state,) = store.load(asked[:1], "3")
    assert (state.campaign.total, state.campaign.reserved) == (1.25, 0.0)


def test_evidence_is_of_policy_or_baseline_where_chance_chose(tmp_path):
    feedback, store = opened(tmp_path)
    entries = [entry(at) for at in range(0, 300, 3)]
    feedback.expect(lines(entries))
    reserved(store, *range(0, 300, 3))
    feedback.take([observed(at, "conversion", value=2.0, cost=1.0) for at in range(0, 300, 3)])
    (state,) = store.load([entries[0].opportunity], "3")
    told = [(one.decision.arm, one.decision.explored) for one in entries]
    assert len(set(told)) == 3
    assert state.outcome("policy").conversions == told.count(("policy", False))
    assert state.outcome("baseline").conversions == told.count(("baseline", True))
    (other,) = store.load([entries[0].opportunity], "4")
    assert other.outcome("policy").conversions == 0


def test_segments_are_counted(tmp_path):
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(0)]))
    feedback.take([observed(0)])
    (state,) = store.load([Review("look", 1.7e9, "ours", "campaign 0")], "3")
    assert state.segments["keyword"]["shoes"].window.recent.clicks == 1
    assert set(state.segments) == {"keyword", "channel", "hour"}


def test_nothing_can_come_of_a_bid_that_was_not_placed(tmp_path):
    feedback, _ = opened(tmp_path)
    held = entry(0, Grant("refused", 0.0, "nothing is left"))
    assert held.decision.action is Action.HOLD
    feedback.expect(lines([held]))
    assert feedback.take([observed(0)]) == ["waits"]


def test_while_the_store_is_away_events_are_kept_and_counted_when_it_is_back(tmp_path, monkeypatch):
    feedback, store = opened(tmp_path)
    placed(feedback, store, 0, 3)
    real = store.record

    def away(events):
        real(events[:1])  # some of it was done
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "record", away)
    assert feedback.take([observed(0), observed(3)]) == ["joined", "joined"]
    monkeypatch.setattr(store, "record", real)
    feedback.take([])
    assert counters(store)[0].clicks == 2


def test_what_was_not_counted_before_a_kill_is_counted_after(tmp_path, monkeypatch):
    feedback, store = opened(tmp_path)
    feedback.expect(lines([entry(0), entry(3)]))
    real = store.record

    def killed(events):
        real(events)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "record", killed)
    with pytest.raises(KeyboardInterrupt):
        feedback.take([observed(0), observed(3)])
    feedback, store = opened(tmp_path)
    assert feedback.take([observed(0), observed(3)]) == ["again", "again"]
    assert counters(store)[0].clicks == 2


def test_decisions_are_forgotten_after_a_while_and_events_never(tmp_path):
    feedback, _ = opened(tmp_path)
    old = replace(entry(0), logged_at=time.time() - PARAMS.keeping.remembered_s - 1)
    feedback.expect(lines([old]))
    feedback.take([observed(0)])
    feedback.expect(lines([entry(1)]))
    assert feedback.take([observed(0), observed(0, which=" late")]) == ["again", "waits"]


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_count_the_same(tmp_path_factory, rng):
    place = tmp_path_factory.mktemp("feedback")
    feedback, store = opened(place)
    events = [
        observed(at, kind, cost=cost, value=value)
        for at in range(6)
        for kind, cost, value in (("impression", 0.25, 0.0), ("click", None, 0.0), ("conversion", None, 8.0))
    ]
    reserved(store, *range(6))
    expected = [(feedback.expect, lines([entry(at)])) for at in range(6)]
    steps = [(feedback.take, [one]) for one in events * 2] + expected * 2
    rng.shuffle(steps)
    for step, items in steps:
        step(items)
    assert counters(store) == [Counters(0, 2, 2, 2, 16.0, 0.5)] * 3


def test_several_who_tell_the_same_at_once_count_it_once(tmp_path):
    entries = [entry(at) for at in range(30)]
    events = [observed(at, kind) for at in range(30) for kind in ("impression", "click")]
    feedbacks, store = [opened(tmp_path)[0] for _ in range(4)], opened(tmp_path)[1]
    reserved(store, *range(30))

    def tell(own: int) -> list[str]:
        rng, told = random.Random(own), []
        for at in range(0, 60, 6):
            feedbacks[own].expect(lines(rng.sample(entries, 10)))
            told += feedbacks[own].take(events[at : at + 6])
        feedbacks[own].expect(lines(entries))
        return told

    with ThreadPoolExecutor(4) as pool:
        told = [status for statuses in pool.map(tell, range(4)) for status in statuses]
    assert len(told) - told.count("again") == 60
    assert counters(store) == [Counters(impressions=10, clicks=10)] * 3


TELLER = """
import sys
from pathlib import Path
from tests.unit.serving.decisions.logged import lines
from tests.unit.serving.decisions.told import entry, observed, opened

feedback, _ = opened(Path(sys.argv[1]))
for at in range(100_000):
    feedback.expect(lines([entry(at)]))
    feedback.take([observed(at, "impression", cost=0.5), observed(at)])
    print(at, flush=True)
"""


def test_a_kill_loses_no_accepted_event_and_doubles_none(tmp_path):
    with subprocess.Popen([sys.executable, "-c", TELLER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        said = [child.stdout.readline()]
        time.sleep(0.4)
        os.kill(child.pid, signal.SIGKILL)
        said += child.stdout.readlines()
    accepted = int(said[-1]) + 1
    feedback, store = opened(tmp_path)
    feedback.take([])
    found = sum(one.clicks for one in counters(store))
    assert accepted <= found <= accepted + 1
    told = [observed(at, "impression", cost=0.5) for at in range(accepted)] + [observed(at) for at in range(accepted)]
    assert feedback.take(told) == ["again"] * 2 * accepted
    assert sum(one.clicks for one in counters(store)) == found


def test_the_log_is_joined_with_what_came_of_it(tmp_path):
    place = decisions_folder(tmp_path)
    feedback, _ = opened(place.parent)
    log = DecisionLog(place, PARAMS, feedback.expect)
    for at in range(6):
        log.append(*decided(at))
    log.append(*decided(0, Grant("again", 0.75)))
    log.append(*decided(6, Grant("refused", 0.0, "nothing is left")))
    log.close()
    feedback.take(
        [
            observed(0, "impression", cost=0.25),
            observed(0, "impression", " twice", cost=0.25),
            observed(0, "click"),
            observed(1, "conversion", value=20.0),
            observed(1, "conversion", " refund", value=-5.0),
            observed(99),
            replace(observed(2), account_id="theirs"),
        ]
    )
    frame = joined(place.parent).set_index("opportunity_id")
    assert list(frame.index) == [f"auction {at}" for at in range(7)]
    assert frame[list(CAME)].to_numpy().tolist() == [
        [1, 1, 0, 0.0, 0.25],
        [0, 0, 1, 15.0, 0.0],
        *[[0, 0, 0, 0.0, 0.0]] * 5,
    ]
    assert frame["amount"]["auction 0"] == decided(0)[4].amount
    clicks, cost = duckdb.execute("SELECT sum(click), sum(cost) FROM frame WHERE action = 'bid'").fetchone()
    assert (clicks, cost) == (1, 0.25)


def test_decisions_that_nothing_came_of_are_there(tmp_path):
    log = DecisionLog(tmp_path / "log", PARAMS)
    log.append(*decided(0))
    log.close()
    frame = joined(tmp_path)
    assert frame[list(CAME)].to_numpy().tolist() == [[0, 0, 0, 0.0, 0.0]]


def test_decisions_since_a_time_are_those_that_were_logged_since(tmp_path):
    moments = []
    for first in (0, 3):  # parts of their own
        moments.append(time.time())
        log = DecisionLog(tmp_path / "log", PARAMS)
        for at in range(first, first + 3):
            log.append(*decided(at))
        log.close()
    for since, left in ((0.0, 6), (moments[0], 6), (moments[1], 3), (time.time() + 60, 0)):
        frame = joined(tmp_path, since)
        assert sorted(frame["opportunity_id"]) == [f"auction {at}" for at in range(6 - left, 6)]
        assert frame.dtypes[list(CAME)].astype(str).to_dict() == CAME


def test_an_event_that_is_dated_ahead_is_not_accepted_and_may_be_told_again(tmp_path):
    feedback, store = opened(tmp_path)
    placed(feedback, store, 0)
    right = replace(observed(0), occurred_at=time.time())
    ahead = [
        replace(right, occurred_at=right.occurred_at + by) for by in (DAY, PARAMS.clock.ahead_s + 60, 70 * 365 * DAY)
    ]
    assert feedback.take([*ahead, right]) == ["ahead", "ahead", "ahead", "joined"]
    assert counters(store)[0].clicks == 1


def test_a_cost_hundreds_of_times_the_bid_is_charged_flagged_and_said_to_look_like_a_thousands(tmp_path, caplog):
    store, flags = SqliteStore(tmp_path / "state.db", PARAMS), []
    store.configure("ours", CAMPAIGNS[0], CampaignSettings(daily_limit=1e6))
    feedback = Feedback(tmp_path / "feedback.db", store, PARAMS, flags.append)
    placed(feedback, store, 0, 3)
    bid = decided(0)[4].amount
    assert feedback.take([observed(0, "impression", cost=500 * bid), observed(3, "impression", cost=bid)]) == [
        "flagged",
        "joined",
    ]
    assert flags == ["above"]
    assert f"500 times the reserved {bid:g}: is it a price per thousand impressions?" in caplog.text
    assert feedback.take([observed(0, "click", cost=bid)]) == ["flagged"]
    assert flags == ["above", "conflict"]
    assert feedback.take([observed(0, "correction", cost=bid)]) == ["joined"]
    assert counters(store)[0].cost == pytest.approx(2 * bid)


@pytest.mark.parametrize("broken", ["book", "facts", "decision"])
def test_what_cannot_be_counted_is_set_aside_and_keeps_nobody_from_being_counted(tmp_path, broken):
    feedback, store = opened(tmp_path)
    placed(feedback, store, *range(6))
    if broken == "book":  # of one campaign
        with closing(sqlite3.connect(tmp_path / "state.db")) as db, db:
            db.execute("UPDATE book SET value = 'torn' WHERE key LIKE '%campaign 0' AND key LIKE 'campaign%'")
    else:
        value = b"no json" if broken == "facts" else b'{"promised": -1}'
        with closing(sqlite3.connect(tmp_path / "feedback.db")) as db, db:
            db.execute("UPDATE decision SET facts = ? WHERE decision = ?", [value, decided(0)[4].decision_id])
    told = feedback.take([observed(at, "impression", cost=0.5) for at in range(6)])
    lost = {0, 3} if broken == "book" else {0}
    assert told == ["flagged" if at in lost else "joined" for at in range(6)]
    feedback, store = (
        opened(tmp_path) if broken != "book" else (Feedback(tmp_path / "feedback.db", store, PARAMS), store)
    )
    assert feedback.standing == {"state": "counting", "set_aside": len(lost)}
    assert feedback.take([observed(1)]) == ["joined"]
    asked = [Review("", 1.7e9, "ours", campaign) for campaign in CAMPAIGNS]
    states = store.load(asked, "3")
    assert [state.known for state in states] == [broken != "book", True, True]
    assert states[1].campaign.total == 1.0


def test_a_disk_that_does_not_take_events_is_told(tmp_path):
    feedback, _ = opened(tmp_path)
    feedback._db.execute("PRAGMA query_only = 1")
    with pytest.raises(sqlite3.Error):
        feedback.take([observed(0)])
    assert "events are not accepted" in feedback.failing and feedback.standing["state"] == feedback.failing
    feedback._db.execute("PRAGMA query_only = 0")
    feedback.take([observed(0)])
    assert feedback.failing == "" and feedback.standing["state"] == "counting"


def test_the_log_knows_each_decisions_cost_as_it_was_charged(tmp_path):
    feedback, store = opened(tmp_path)
    placed(feedback, store, *range(4))
    feedback.take([observed(0, "click", cost=0.5), observed(0, "impression", cost=0.4)])
    feedback.take([observed(1, "correction", " late", cost=0.2), observed(1, "impression", cost=0.7)])
    feedback.take([replace(observed(1, "correction", " sooner", cost=0.3), occurred_at=1.7e9)])
    feedback.take([observed(2, "conversion", value=-5.0), observed(2, "conversion", " it", value=3.0)])
    came = came_of(tmp_path).set_index("decision_id").loc[[decided(at)[4].decision_id for at in range(3)]]
    assert came["cost"].tolist() == [0.5, 0.2, 0.0]
    assert came[["conversions", "value"]].to_numpy()[2].tolist() == [1, 0]
    assert [round(one.cost, 6) for one in counters(store)] == [0.5, 0.2, 0.0]
