"""What was appended is there, whole, in order and as it was, for whoever reads it."""

import random
import threading
import time

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings

from serving.decisions.decide import decide
from serving.decisions.log import params as stored
from serving.decisions.log.entry import read
from serving.decisions.log.writer import DecisionLog
from serving.decisions.rebuild import to_json
from serving.decisions.state.store import Grant
from serving.records import parts, reading, segment
from serving.records.verify import verify
from serving.records.writer import LogUnavailable
from tests.unit.serving.decisions.logged import PARAMS, SEED, auctions, decided, ids, left_open, logged
from tests.unit.serving.decisions.test_engine import opportunities, predictions, states


def test_all_that_was_appended_is_logged_in_order(tmp_path):
    logged(tmp_path, 1000)
    assert ids(tmp_path) == auctions(1000)
    assert verify(tmp_path) == []


def test_an_entry_comes_back_equal(tmp_path):
    appended = decided(5, Grant("again", 0.75))
    log = DecisionLog(tmp_path, PARAMS)
    log.append(*appended)
    log.close()
    (found,) = map(read, reading.records(tmp_path))
    assert (found.opportunity, found.predictions, found.state, found.grant, found.decision) == appended
    assert stored.read(tmp_path, found.params) == PARAMS
    assert abs(found.logged_at - time.time()) < 60


def test_duckdb_reads_what_analysts_ask_for(tmp_path):
    logged(tmp_path, 300)
    asked = (
        "SELECT campaign_id, count(*), avg(amount), min(propensity), any_value(versions['bidding']), "
        "any_value(json_extract(entry, '$.state.campaign.daily_limit')) "
        "FROM read_parquet(?) WHERE action = 'bid' GROUP BY 1 ORDER BY 1"
    )
    rows = duckdb.execute(asked, [f"{tmp_path}/*.parquet"]).fetchall()
    spoken = [decided(at)[4] for at in range(300)]
    for campaign, count, amount, propensity, version, limit in rows:
        own = [one for one in spoken if one.campaign_id == campaign]
        assert count == len(own) == 100
        assert amount == pytest.approx(np.mean([one.amount for one in own]))
        assert propensity == min(one.propensity for one in own)
        assert (version, float(limit)) == ("3", 100.0)


@settings(max_examples=25, deadline=None)
@given(opportunities, predictions, states)
def test_whatever_is_decided_is_logged_and_verified(tmp_path_factory, opportunity, said, state):
    place = tmp_path_factory.mktemp("log")
    log = DecisionLog(place, PARAMS)
    decision = decide(opportunity, said, state, PARAMS, SEED)
    log.append(opportunity, said, state, None, decision)
    log.close()
    assert verify(place) == []
    (written,) = reading.records(place)
    assert to_json(read(written).decision) == to_json(decision)


def test_a_number_in_another_type_is_null_in_its_column_only(tmp_path):
    opportunity, *rest = decided(0)
    odd = type(opportunity)("odd", 0.0, "ours", "campaign", keyword=5, hour="noon")
    log = DecisionLog(tmp_path, PARAMS)
    log.append(odd, *rest)
    log.append(opportunity, *rest)
    log.close()
    table = parts.read(parts.found(tmp_path)[0])
    assert table["keyword"].to_pylist() == [None, "shoes"]
    assert table["hour"].to_pylist() == [None, 0]
    assert read(table["entry"][0].as_py()).opportunity == odd
    assert verify(tmp_path) == []


def test_what_json_cannot_hold_is_refused_and_the_rest_goes_on(tmp_path):
    log = DecisionLog(tmp_path, PARAMS)
    opportunity, *rest = decided(0)
    with pytest.raises(TypeError):
        log.append(type(opportunity)("\ud800", 0.0, "ours", "campaign"), *rest)
    log.append(opportunity, *rest)
    log.close()
    assert ids(tmp_path) == auctions(1)


def test_many_threads_append_and_none_is_lost(tmp_path):
    log = DecisionLog(tmp_path, PARAMS)
    threads = [
        threading.Thread(target=lambda own=own: [log.append(*decided(at)) for at in range(own, 800, 4)])
        for own in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert sorted(ids(tmp_path)) == sorted(auctions(800))
    assert verify(tmp_path) == []


def test_parts_follow_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 50_000)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(500):
        log.append(*decided(at))
        if at % 50 == 0:
            log.flush()
    log.close()
    assert len(parts.found(tmp_path)) > 3
    assert ids(tmp_path) == auctions(500)
    assert verify(tmp_path) == []
    assert not list(tmp_path.glob("*.journal"))


def test_a_part_is_made_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_S", 0.05)
    log = DecisionLog(tmp_path, PARAMS)
    log.append(*decided(0))
    until = time.monotonic() + 10
    while not parts.found(tmp_path) and time.monotonic() < until:
        time.sleep(0.01)
    assert ids(tmp_path) == auctions(1)
    log.close()
    assert verify(tmp_path) == []


def test_a_living_log_is_read_whole(tmp_path):
    logged(tmp_path, 10)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(10, 30):
        log.append(*decided(at))
    log.flush()
    assert ids(tmp_path) == auctions(30)
    assert verify(tmp_path) == []
    log.close()
    assert ids(tmp_path) == auctions(30)


def test_a_second_writer_leaves_a_living_one_alone(tmp_path):
    first = DecisionLog(tmp_path, PARAMS)
    first.append(*decided(0))
    first.flush()
    logged(tmp_path, 1, start=1)
    first.append(*decided(2))
    first.close()
    assert sorted(ids(tmp_path)) == auctions(3)
    assert verify(tmp_path) == []


def test_a_log_that_is_closed_takes_no_more(tmp_path):
    log = DecisionLog(tmp_path, PARAMS)
    log.close()
    log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        log.append(*decided(0))
    assert parts.found(tmp_path) == []


def test_the_listener_is_told_all_in_order_though_it_fails_now_and_then(tmp_path):
    told, rng = [], random.Random(1)

    def listen(entries):
        if rng.random() < 0.5:
            raise RuntimeError("away")
        told.extend(read(one.line).opportunity.opportunity_id for one in entries)

    left_open(tmp_path, 4)  # a killed writer's are told, too
    while True:
        try:
            log = DecisionLog(tmp_path, PARAMS, listen)
            break
        except RuntimeError:
            assert list(tmp_path.glob("*.journal"))
    for at in range(4, 60):
        log.append(*decided(at))
        log.flush()
    until = time.monotonic() + 10
    while len(told) < 60 and time.monotonic() < until:
        time.sleep(0.01)
    log.close()
    assert told == auctions(60)


def test_one_who_reads_while_parts_are_made_sees_each_entry_once(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 5_000)
    log = DecisionLog(tmp_path, PARAMS)
    seen, stop = [0], threading.Event()
    broken = []

    def look():
        while not stop.is_set():
            found = ids(tmp_path)
            if found != auctions(len(found)) or len(found) < seen[-1]:
                broken.append(found)
            seen.append(len(found))

    looker = threading.Thread(target=look)
    looker.start()
    for at in range(150):
        log.append(*decided(at))
        time.sleep(0.002)
    stop.set()
    looker.join()
    log.close()
    assert broken == [] and len(set(seen)) > 2
    assert ids(tmp_path) == auctions(150)
