"""Feedback of replicas, joined in Redis: once, whoever is told, in any order, also while Redis is away."""

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from features.records import EVENTS, LOG
from features.sources.decision_log import came_of
from serving.decisions.feedback import Feedback
from serving.decisions.log.writer import DecisionLog
from serving.decisions.shared_feedback import SharedFeedback
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import CampaignSettings, Reservation, Store, StoreUnavailable
from serving.records.verify import verify
from tests.unit.serving.decisions.logged import PARAMS, decided, lines
from tests.unit.serving.decisions.told import CAMPAIGNS, counters, entry, observed


def reserved(store: Store, count: int) -> None:
    for campaign in CAMPAIGNS:
        store.configure("ours", campaign, CampaignSettings(daily_limit=1e6))
    made = [decided(at)[4] for at in range(count)]
    store.reserve([Reservation(m.opportunity_id, "ours", m.campaign_id, m.amount, m.decided_at) for m in made])


@pytest.fixture
def store(redis_server) -> RedisStore:
    return RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS)


@pytest.fixture
def replicas(store: RedisStore, tmp_path: Path):
    made = [SharedFeedback(tmp_path / str(one) / EVENTS, store, PARAMS) for one in range(3)]
    yield made
    for one in made:
        one.close()


def events(count: int) -> list:
    kinds = (("impression", 0.25, 0.0), ("click", None, 0.0), ("conversion", None, 8.0))
    return [observed(at, kind, cost=cost, value=value) for at in range(count) for kind, cost, value in kinds]


def test_an_event_is_counted_once_whoever_is_told_and_whoever_decided(replicas, store) -> None:
    rng, count = random.Random(2), 12
    reserved(store, count)
    steps = [(one.take, [event]) for event in events(count) for one in rng.sample(replicas, 2)]
    steps += [(rng.choice(replicas).expect, lines([entry(at)])) for at in range(count)] * 2
    rng.shuffle(steps)
    statuses = [status for step, items in steps for status in step(items) or ()]
    assert statuses.count("again") == 3 * count and set(statuses) == {"again", "joined", "waits"}
    assert [
        (one.impressions, one.clicks, one.conversions, one.conversion_value, one.cost) for one in counters(store)
    ] == [(4, 4, 4, 32.0, 1.0)] * 3


def test_the_state_is_what_one_machine_makes_of_it(replicas, store, tmp_path: Path) -> None:
    own = SqliteStore(tmp_path / "state.db", PARAMS)
    alone = Feedback(tmp_path / "feedback.db", own, PARAMS)
    told = [*events(6), observed(0, "correction", cost=0.5), observed(1, "conversion", "back", value=-3.0)]
    told += [observed(7, "loss"), observed(8, "impression"), observed(9, "impression", cost=50.0)]
    for state in (store, own):
        reserved(state, 10)
    replicas[0].expect(lines([entry(at) for at in range(10)]))
    alone.expect(lines([entry(at) for at in range(10)]))
    assert replicas[1].take(told) == alone.take(told)
    assert counters(store) == counters(own)
    made = [decided(at)[0] for at in range(10)]
    assert [one.campaign for one in store.load(made, "3")] == [one.campaign for one in own.load(made, "3")]
    assert [one.evidence for one in store.load(made, "3")] == [one.evidence for one in own.load(made, "3")]


def test_what_replicas_recorded_is_read_together_each_event_once(replicas, store, tmp_path: Path) -> None:
    reserved(store, 3)
    replicas[0].expect(lines([entry(at) for at in range(3)]))
    for one in replicas:
        one.take([*events(3), replace(observed(99), occurred_at=time.time() + 1e6)])
        one.close()
    together = tmp_path / EVENTS
    together.mkdir()
    for part in tmp_path.glob(f"*/{EVENTS}/*.parquet"):
        part.rename(together / part.name)
    assert verify(together) == []
    came = came_of(tmp_path).set_index("decision_id")
    assert sorted(came.index) == sorted(decided(at)[4].decision_id for at in range(3))
    assert set(came["conversions"]) == {1} and set(came["value"]) == {8.0} and set(came["cost"]) == {0.25}


def test_while_redis_is_away_nothing_is_accepted_and_decisions_are_kept_for_it(redis_server, tmp_path: Path) -> None:
    store = RedisStore(f"redis://127.0.0.1:{redis_server.port}/0", PARAMS)
    reserved(store, 3)
    feedback = SharedFeedback(tmp_path / EVENTS, store, PARAMS)
    log = DecisionLog(tmp_path / LOG, PARAMS, feedback.expect)
    redis_server.stop()
    log.append(*decided(0))
    log.flush()
    with pytest.raises(StoreUnavailable):
        feedback.take([observed(0)])
    assert "not counted" in feedback.fault()
    redis_server.start()
    until = time.monotonic() + 20
    while True:
        try:
            assert feedback.take([observed(0)]) == ["joined"]
            break
        except StoreUnavailable:
            assert time.monotonic() < until
            time.sleep(0.1)
    assert feedback.fault() is None and feedback.standing == {"state": "counting", "set_aside": 0}
    log.close()
    feedback.close()


def test_books_that_are_broken_set_an_event_aside_and_keep_no_other(replicas, store, caplog) -> None:
    reserved(store, 2)
    replicas[0].expect(lines([entry(at) for at in range(2)]))
    made = decided(0)[4]
    store._ask([("SET", f"adloop:decisions:{{ours}}:hold:{made.campaign_id}\x1fbid\x1f{made.opportunity_id}", "junk")])
    assert replicas[1].take([observed(0), observed(1)]) == ["flagged", "joined"]
    assert replicas[1].standing["set_aside"] == 1 and "set aside" in caplog.text
