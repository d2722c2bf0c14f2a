"""What was flushed is there, whole, in order and as it was, whatever happens to the writer."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.decisions.engine import decide
from serving.decisions.log import journal, parts, reading, segment, writer
from serving.decisions.log.entry import Entry, read
from serving.decisions.log.segment import Segment
from serving.decisions.log.verify import verify
from serving.decisions.log.writer import DecisionLog, LogUnavailable
from serving.decisions.rebuild import to_json
from serving.decisions.state.store import Grant
from tests.unit.serving.decisions.logged import PARAMS, SEED, decided
from tests.unit.serving.decisions.test_engine import opportunities, predictions, states


def logged(place: Path, count: int, start: int = 0) -> None:
    log = DecisionLog(place, PARAMS)
    for at in range(start, start + count):
        log.append(*decided(at))
    log.close()


def ids(place: Path) -> list[str]:
    return [read(written).opportunity.opportunity_id for written in reading.entries(place)]


def auctions(count: int) -> list[str]:
    return [f"auction {at}" for at in range(count)]


def left_open(place: Path, *groups: int) -> Path:
    """The journal of a writer that was killed after these groups."""
    place.mkdir(exist_ok=True)
    name, at = parts.keep_params(place, PARAMS), 0
    written = Segment(place, lambda entries: None)
    for count in groups:
        entries = [Entry(time.time(), name, *decided(at + one)) for one in range(count)]
        written.commit(entries, [to_json(entry) for entry in entries])
        at += count
    written._journal.close()
    return written._journal.path


def rewritten(part: Path, table: pa.Table) -> None:
    pq.write_table(table.replace_schema_metadata(pq.read_schema(part).metadata), part)


def test_all_that_was_appended_is_logged_in_order(tmp_path):
    logged(tmp_path, 1000)
    assert ids(tmp_path) == auctions(1000)
    assert verify(tmp_path) == []


def test_an_entry_comes_back_equal(tmp_path):
    appended = decided(5, Grant("again", 0.75))
    log = DecisionLog(tmp_path, PARAMS)
    log.append(*appended)
    log.close()
    (found,) = map(read, reading.entries(tmp_path))
    assert (found.opportunity, found.predictions, found.state, found.grant, found.decision) == appended
    assert parts.params(tmp_path, found.params) == PARAMS
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
    (written,) = reading.entries(place)
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


@pytest.mark.parametrize("after", [0.05, 0.4])
def test_a_kill_loses_nothing_that_was_flushed(tmp_path, after):
    program = "tests.unit.serving.decisions.logged"
    with subprocess.Popen([sys.executable, "-m", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        said = [child.stdout.readline()]
        time.sleep(after)
        os.kill(child.pid, signal.SIGKILL)
        said += child.stdout.readlines()
    flushed = int(said[-1])
    assert verify(tmp_path) == []
    found = ids(tmp_path)
    assert found == auctions(len(found))
    assert flushed <= len(found) <= flushed + 200
    logged(tmp_path, 1, start=len(found))  # the next writer makes a part of it
    assert ids(tmp_path) == auctions(len(found) + 1)
    assert verify(tmp_path) == []
    assert not list(tmp_path.glob("*.journal"))


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.9999), st.binary(max_size=30))
def test_a_torn_tail_is_cut_after_the_last_whole_group(tmp_path_factory, share, garbage):
    place = tmp_path_factory.mktemp("log")
    path = left_open(place, 3, 4)
    whole = path.read_bytes()
    safe = whole.index(b"\n", whole.index(b"\n= 3 ") + 1) + 1
    torn = whole[: safe + int(share * (len(whole) - safe))]
    path.write_bytes(torn + garbage.replace(b"\n", b""))
    assert ids(place) == auctions(3)
    assert verify(place) == []
    logged(place, 1, start=3)
    assert ids(place) == auctions(4)
    assert verify(place) == []


def test_a_kill_before_the_first_line_leaves_nothing(tmp_path):
    path = left_open(tmp_path, 1)
    for size in (0, 10):
        path.write_bytes(path.read_bytes()[:size])
        assert ids(tmp_path) == []
    logged(tmp_path, 2)
    assert ids(tmp_path) == auctions(2)
    assert verify(tmp_path) == []


def test_a_kill_between_part_and_journal_doubles_nothing(tmp_path):
    path = left_open(tmp_path, 5)
    journal_then = path.read_bytes()
    DecisionLog(tmp_path, PARAMS).close()
    path.write_bytes(journal_then)
    assert ids(tmp_path) == auctions(5)
    assert verify(tmp_path) == []
    logged(tmp_path, 1, start=5)
    assert ids(tmp_path) == auctions(6)
    assert verify(tmp_path) == []


def test_a_journal_that_was_changed_is_named_and_kept(tmp_path):
    path = left_open(tmp_path, 3, 4)
    path.write_bytes(path.read_bytes().replace(b"auction 4", b"auction 9"))
    (fault,) = verify(tmp_path)
    assert fault.sequence == 3
    logged(tmp_path, 1)
    (fault,) = verify(tmp_path)
    assert fault.sequence == 3 and "missing" in fault.what
    assert path.with_suffix(".damaged").exists()


def test_a_removed_tail_of_a_closed_chain_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(20):
        log.append(*decided(at))
        log.flush()
        time.sleep(0.03)
    log.close()
    last = parts.found(tmp_path)[-1]
    first = parts.head(last).first
    last.unlink()
    (fault,) = verify(tmp_path)
    assert fault.sequence == first


changes = {
    "changed": lambda rows: [
        *rows[:40],
        {**rows[40], "entry": rows[40]["entry"].replace("shoes", "boots")},
        *rows[41:],
    ],
    "removed": lambda rows: rows[:40] + rows[41:],
    "reordered": lambda rows: [*rows[:40], rows[41], rows[40], *rows[42:]],
    "a column": lambda rows: [*rows[:40], {**rows[40], "amount": 0.01}, *rows[41:]],
    "a number": lambda rows: [*rows[:40], {**rows[40], "sequence": 99}, *rows[41:]],
    "rehashed": lambda rows: [*rows[:40], {**rows[40], "hash": bytes(32)}, *rows[41:]],
}


@pytest.mark.parametrize("change", changes.values(), ids=changes)
def test_the_first_entry_that_is_not_as_it_was_is_named(tmp_path, change):
    logged(tmp_path, 100)
    (part,) = parts.found(tmp_path)
    table = parts.read(part)
    rewritten(part, pa.Table.from_pylist(change(table.to_pylist()), table.schema))
    for path in (tmp_path, part):
        (fault,) = verify(path)
        assert fault.sequence == 40


def test_removed_parts_are_missed_at_the_front_and_in_the_middle(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 20_000)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(200):
        log.append(*decided(at))
        if at % 20 == 0:
            log.flush()
    log.close()
    found = parts.found(tmp_path)
    for gone in (found[0], found[2], found[-1]):
        kept, first = gone.read_bytes(), parts.head(gone).first
        gone.unlink()
        (fault,) = verify(tmp_path)
        assert fault.sequence == first
        gone.write_bytes(kept)
    assert verify(tmp_path) == []


def test_a_full_disk_keeps_what_waits_and_then_takes_it(tmp_path, monkeypatch):
    log = DecisionLog(tmp_path, PARAMS)
    log.append(*decided(0))
    log.flush()
    real = os.fdatasync

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "fdatasync", full)
    monkeypatch.setattr(writer, "LIMIT", 20_000)
    with pytest.raises(LogUnavailable):
        for at in range(1, 100):
            log.append(*decided(at))
    with pytest.raises(LogUnavailable):
        log.flush(0.1)
    assert ids(tmp_path) == auctions(1)
    monkeypatch.setattr(journal.os, "fdatasync", real)
    log.flush()
    count = log._appended
    assert 2 < count < 30
    log.append(*decided(count))
    log.close()
    assert ids(tmp_path) == auctions(count + 1)
    assert verify(tmp_path) == []


def test_the_listener_is_told_all_in_order_though_it_fails_now_and_then(tmp_path):
    told, rng = [], random.Random(1)

    def listen(entries):
        if rng.random() < 0.5:
            raise RuntimeError("away")
        told.extend(entry.opportunity.opportunity_id for entry in entries)

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


def test_what_is_no_log_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "nowhere")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="no part of a decision log"):
        verify(tmp_path)


def test_a_part_that_could_not_be_made_is_read_from_its_journal_and_made_by_the_next_writer(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    real, failed = parts.write, []

    def fail_once(*about):
        if not failed:
            failed.append(about)
            raise OSError(28, "No space left on device")
        real(*about)

    monkeypatch.setattr(parts, "write", fail_once)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(4):
        log.append(*decided(at))
        log.flush()
        time.sleep(0.05)
    log.close()
    assert failed and len(list(tmp_path.glob("*.journal"))) == 1
    assert ids(tmp_path) == auctions(4)
    assert verify(tmp_path) == []
    logged(tmp_path, 1, start=4)
    assert not list(tmp_path.glob("*.journal"))
    assert ids(tmp_path) == auctions(5)
    assert verify(tmp_path) == []


def test_a_full_disk_when_a_journal_begins_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    monkeypatch.setattr(writer, "RETRY", 0.01)
    log = DecisionLog(tmp_path, PARAMS)
    real, left = journal.sync, [3]

    def full(folder):
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        real(folder)

    monkeypatch.setattr(journal, "sync", full)
    for at in range(4):
        log.append(*decided(at))
        log.flush()
        time.sleep(0.05)
    log.close()
    assert left == [0]
    assert ids(tmp_path) == auctions(4)
    assert verify(tmp_path) == []


def test_a_kill_before_the_first_line_of_a_second_journal_closes_the_chain(tmp_path):
    path = left_open(tmp_path, 3)
    (tmp_path / path.name.replace("000000000000.", "000000000003.")).touch()
    logged(tmp_path, 1, start=3)
    assert ids(tmp_path) == auctions(4)
    assert verify(tmp_path) == []


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
