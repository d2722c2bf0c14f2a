"""What is not as it was logged is found, and named."""

import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.decisions.log.writer import DecisionLog
from serving.records import parts, segment
from serving.records.verify import verify
from tests.unit.serving.decisions.logged import PARAMS, auctions, decided, ids, left_open, logged

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
    changed = pa.Table.from_pylist(change(table.to_pylist()), table.schema)
    pq.write_table(changed.replace_schema_metadata(pq.read_schema(part).metadata), part)
    for path in (tmp_path, part):
        (fault,) = verify(path)
        assert fault.sequence == 40


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


def test_what_is_no_log_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "nowhere")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="not a part of a log"):
        verify(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff"])
def test_a_damaged_list_of_what_was_removed_is_named(tmp_path, content):
    logged(tmp_path, 3)
    (tmp_path / parts.REMOVED).write_bytes(content)
    assert ids(tmp_path) == auctions(3)  # what is there is read all the same
    with pytest.raises(ValueError, match=rf"{parts.REMOVED} is damaged, put a copy back or remove it"):
        verify(tmp_path)
