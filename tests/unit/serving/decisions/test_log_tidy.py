"""Parts are merged and removed: what is left is verified and replayed as before, each entry once."""

import os
import shutil
import time

import pytest

from serving.decisions.log.writer import DecisionLog
from serving.experiments.replay import replay
from serving.records import parts, reading, segment, tidy
from tests.unit.serving.decisions.logged import PARAMS, auctions, decided, ids, logged

DAY = 86_400


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    """A chain of six parts of two entries, two of one part each, all settled."""
    place = tmp_path_factory.mktemp("chains")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment, "PART_BYTES", 1)
        written = DecisionLog(place, PARAMS)
        for at in range(12):
            written.append(*decided(at))
            if at % 2:
                written.flush()
                time.sleep(0.12)
        written.close()
        for start in (12, 14):
            logged(place, 2, start)
    aged(place, 2 * tidy.SETTLED_S)
    return place


@pytest.fixture
def log(chains, tmp_path, monkeypatch):
    """The chains, to be changed."""
    monkeypatch.setattr(segment, "PART_BYTES", 1)
    return shutil.copytree(chains, tmp_path, dirs_exist_ok=True)


def aged(place, seconds, those=slice(None)):
    for part in parts.found(place)[those]:
        os.utime(part, (time.time() - seconds,) * 2)


def test_the_parts_of_a_chain_become_one_and_nothing_changes(log):
    before = list(reading.records(log))
    many = len(parts.found(log))
    assert many > 6
    tidy.tidy(log, None)
    assert len(parts.found(log)) == 3
    assert list(reading.records(log)) == before
    assert replay(log).faults == () and replay(log).differing == 0 and replay(log).count == 16
    assert all(part.stat().st_mtime < time.time() - tidy.SETTLED_S for part in parts.found(log))
    logged(log, 2, 16)
    assert ids(log) == auctions(18)


def test_parts_that_are_new_or_whole_are_left_alone(log, monkeypatch):
    aged(log, 0)
    many = len(parts.found(log))
    tidy.tidy(log, None)
    assert len(parts.found(log)) == many
    aged(log, 2 * tidy.SETTLED_S)
    monkeypatch.setattr(tidy, "WHOLE", 1)
    tidy.tidy(log, None)
    assert len(parts.found(log)) == many


@pytest.mark.parametrize("left", [1, 2, 5])
def test_a_merge_that_was_killed_doubles_nothing_and_is_finished(log, left):
    content = {part: part.read_bytes() for part in parts.found(log)[1 : 1 + left]}
    tidy.tidy(log, None)
    for part, whole in content.items():
        part.write_bytes(whole)
    assert ids(log) == auctions(16)
    assert replay(log).faults == ()
    tidy.tidy(log, None)
    assert len(parts.found(log)) == 3
    assert ids(log) == auctions(16)


def test_nothing_is_merged_while_the_log_is_read(log):
    many = len(parts.found(log))
    with parts.steady(log):
        tidy.tidy(log, None)
    assert len(parts.found(log)) == many


@pytest.mark.parametrize("old", [1, 3, 6])
def test_what_is_older_than_it_is_kept_is_removed_and_the_rest_verifies(log, old):
    aged(log, 10 * DAY, slice(0, old))
    gone = sum(parts.rows(part) for part in parts.found(log)[:old])
    tidy.tidy(log, 5 * DAY)
    assert ids(log) == auctions(16)[gone:]
    assert replay(log).faults == ()
    logged(log, 2, 16)
    assert ids(log) == auctions(18)[gone:] and replay(log).faults == ()


def test_what_somebody_else_removed_is_still_told(log, monkeypatch):
    monkeypatch.setattr(tidy, "SETTLED_S", 1e9)
    aged(log, 10 * DAY, slice(0, 2))
    tidy.tidy(log, 5 * DAY)
    parts.found(log)[1].unlink()
    (fault,) = replay(log).faults
    assert "is missing or was moved" in fault.what
    aged(log, 10 * DAY)
    tidy.tidy(log, 5 * DAY)
    assert parts.found(log) == []


def test_a_damaged_part_stops_no_merge_and_is_never_removed_unseen(log):
    bad = parts.found(log)[2]
    bad.write_bytes(b"PAR1 torn")
    aged(log, 10 * DAY)
    tidy.tidy(log, None)
    assert bad.exists()
    tidy.tidy(log, 5 * DAY)
    assert bad.exists()
    (fault,) = replay(log).faults
    assert bad.name in str(fault)


def test_decisions_are_kept_at_least_as_long_as_feedback_is_waited_for(tmp_path):
    log = DecisionLog(tmp_path, PARAMS, keep_days=0.001)
    assert log._segment._keep_s == PARAMS.keeping.remembered_s
    log.close()
    log = DecisionLog(tmp_path, PARAMS, keep_days=1000)
    assert log._segment._keep_s == 1000 * DAY
    log.close()


def test_a_log_that_is_written_keeps_itself_tidy(tmp_path, monkeypatch):
    for name, value in (("PART_BYTES", 1), ("TIDY_S", 0.0)):
        monkeypatch.setattr(segment, name, value)
    monkeypatch.setattr(tidy, "SETTLED_S", -1.0)
    log = DecisionLog(tmp_path, PARAMS)
    for at in range(10):
        log.append(*decided(at))
        log.flush()
        time.sleep(0.06)
    log.close()
    assert len(parts.found(tmp_path)) <= 3
    assert ids(tmp_path) == auctions(10) and replay(tmp_path).faults == ()
