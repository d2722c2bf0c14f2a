"""What was flushed is there, whole and in order, whatever happens to the writer or its disk."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.decisions.log.writer import DecisionLog
from serving.records import journal, parts, reading, segment, writer
from serving.records.verify import verify
from serving.records.writer import LogUnavailable
from tests.unit.serving.decisions.logged import PARAMS, auctions, decided, ids, left_open, logged


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


def test_a_kill_before_the_first_line_of_a_second_journal_closes_the_chain(tmp_path):
    path = left_open(tmp_path, 3)
    (tmp_path / path.name.replace("000000000000.", "000000000003.")).touch()
    logged(tmp_path, 1, start=3)
    assert ids(tmp_path) == auctions(4)
    assert verify(tmp_path) == []


def test_a_slow_disk_holds_up_neither_the_listener_nor_the_next_journal(tmp_path, monkeypatch):
    """While each group is synced, the next decision comes, so that some are always waiting."""
    real, told, told_then = os.fdatasync, [], []

    def slow(file):
        real(file)
        if threading.current_thread().name == "record" and log._appended < 30:
            told_then.append(len(told))
            log.append(*decided(log._appended))

    log = DecisionLog(tmp_path, PARAMS, told.extend)
    monkeypatch.setattr(writer, "EVERY", 0.001)
    monkeypatch.setattr(journal.os, "fdatasync", slow)
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    monkeypatch.setattr(segment, "tidy", lambda *_: None)  # which would merge the parts
    log.append(*decided(0))
    until = time.monotonic() + 30
    while len(told) < 30 and time.monotonic() < until:
        time.sleep(0.001)
    log.close()
    assert len(told) == 30 and told_then[-1] > 20
    assert len(list(tmp_path.glob("*.parquet"))) > 10  # a journal has the group and what came as it began
    assert ids(tmp_path) == auctions(30)
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


@pytest.mark.parametrize("times", [1, 10**9])
def test_a_part_that_could_not_be_made_is_made_with_the_next_or_by_the_next_writer(tmp_path, monkeypatch, times):
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    real, failed = parts.write, []

    def fails(*about):
        if len(failed) < times:
            failed.append(about)
            raise OSError(28, "No space left on device")
        real(*about)

    monkeypatch.setattr(parts, "write", fails)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(4):
        log.append(*decided(at))
        log.flush()
        time.sleep(0.05)
    log.close()
    assert failed and bool(list(tmp_path.glob("*.journal"))) == (times > 1)
    assert ids(tmp_path) == auctions(4)
    assert verify(tmp_path) == []
    monkeypatch.setattr(parts, "write", real)
    logged(tmp_path, 1, start=4)
    assert not list(tmp_path.glob("*.journal"))
    assert ids(tmp_path) == auctions(5)
    assert verify(tmp_path) == []


def test_a_disk_that_takes_nothing_says_so_takes_no_more_and_is_well_again_by_itself(tmp_path, monkeypatch):
    log = DecisionLog(tmp_path, PARAMS)
    assert log.fault() is None
    real = os.write
    held = []

    def full(file, data):
        if held:
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(journal.os, "write", full)
    held.append(True)
    log.append(*decided(0))
    until = time.monotonic() + 10
    while log.fault() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert "No space left on device" in log.fault()
    with pytest.raises(LogUnavailable, match="No space left"):
        log.append(*decided(1))
    held.clear()
    log.flush()
    while log.fault() is not None and time.monotonic() < until:
        time.sleep(0.01)
    log.append(*decided(1))
    log.close()
    assert ids(tmp_path) == auctions(2)
    assert verify(tmp_path) == []


@pytest.mark.parametrize(
    "first",
    [b"junk\n", b"\xff\xfe\x00\n", b"\n", b"a b c d\n", b"chain 0 zz\n", b"other 0 " + b"0" * 64 + b"\n"],
)
def test_a_journal_whose_first_line_is_damaged_is_set_aside_by_name_and_the_rest_goes_on(tmp_path, caplog, first):
    whole = left_open(tmp_path, 3)
    logged(tmp_path, 2, start=3)
    path = left_open(tmp_path, 2) if not whole.exists() else whole
    body = path.read_bytes()
    path.write_bytes(first + body.partition(b"\n")[2])
    before = ids(tmp_path)
    assert path.name in caplog.text
    logged(tmp_path, 1, start=7)
    assert ids(tmp_path) == [*before, auctions(8)[-1]]
    assert path.name.replace(".journal", ".damaged") in parts.left_out(tmp_path)
    assert "is set aside" in caplog.text


@pytest.mark.parametrize("keep", [0, 40, -9])
def test_a_damaged_part_is_left_out_by_name_and_told_by_verify(tmp_path, caplog, keep):
    logged(tmp_path, 2)
    (bad,) = parts.found(tmp_path)
    logged(tmp_path, 2, start=2)
    bad.write_bytes(bad.read_bytes()[:keep] if keep >= 0 else bad.read_bytes()[:keep] + b"xxxxxxxxx")
    assert ids(tmp_path) == auctions(4)[2:]
    (fault,) = verify(tmp_path)
    assert str(fault).startswith(f"{bad.name}: record 0 of chain") and "unreadable" in fault.what
    (table,) = reading.tables(tmp_path, ["opportunity_id"])
    assert table["opportunity_id"].to_pylist() == auctions(4)[2:]
    assert bad.name in caplog.text
