"""Parts are merged into fewer and removed when they are old; at every moment each row is read once."""

import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from serving.inference import parts, requests
from serving.inference.requests import RequestLog

DAY_MS = 86_400_000


def rows(place: Path) -> list[int]:
    table = parts.read(place)
    return [] if table is None else sorted(table["n"].to_pylist())


def written(place: Path, first: int, count: int) -> None:
    for number in range(first, first + count):
        parts.write(place, pa.table({"n": [number]}))


def test_many_small_parts_become_one_with_the_same_rows(tmp_path: Path) -> None:
    written(tmp_path, 0, 2 * parts.MANY + 3)
    parts.tidy(tmp_path, 1)
    assert len(parts.found(tmp_path)) < parts.MANY
    assert rows(tmp_path) == list(range(2 * parts.MANY + 3))
    parts.tidy(tmp_path, 1)
    assert rows(tmp_path) == list(range(2 * parts.MANY + 3))


def test_few_parts_and_whole_ones_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 0, parts.MANY - 1)
    before = parts.found(tmp_path)
    parts.tidy(tmp_path, 1)
    assert parts.found(tmp_path) == before
    monkeypatch.setattr(parts, "WHOLE", 1)
    written(tmp_path, parts.MANY, 5)
    parts.tidy(tmp_path, 1)
    assert len(parts.found(tmp_path)) == parts.MANY + 4


@pytest.mark.parametrize("left", [1, 7, parts.MANY])
def test_a_merge_that_was_killed_doubles_nothing_and_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    written(tmp_path, 0, parts.MANY)
    whole = {part: part.read_bytes() for part in parts.found(tmp_path)[:left]}
    parts.tidy(tmp_path, 1)
    for part, content in whole.items():  # as if it had been killed before these were removed
        part.write_bytes(content)
    assert rows(tmp_path) == list(range(parts.MANY))
    parts.tidy(tmp_path, 1)
    assert len(parts.found(tmp_path)) == 1
    assert rows(tmp_path) == list(range(parts.MANY))


def test_readers_see_each_row_once_while_parts_are_merged(tmp_path: Path) -> None:
    written(tmp_path, 0, 10)
    stop, seen = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            found = rows(tmp_path)
            seen.append(found == list(range(len(found))))

    reader = threading.Thread(target=look, daemon=True)
    reader.start()
    for start in range(10, 200, 10):
        written(tmp_path, start, 10)
        parts.tidy(tmp_path, 1)
    stop.set()
    reader.join()
    assert len(seen) > 3 and all(seen)


def test_what_is_older_than_it_is_kept_is_removed(tmp_path: Path) -> None:
    written(tmp_path, 0, 3)
    for part, days in zip(parts.found(tmp_path), (5, 2, 0), strict=True):
        part.rename(part.with_name(f"{int(time.time() * 1000) - days * DAY_MS:013d}-1-{days}.parquet"))
    parts.tidy(tmp_path, 3)
    assert rows(tmp_path) == [1, 2]
    parts.tidy(tmp_path, 1)
    assert rows(tmp_path) == [2]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"junk" * 100])
def test_a_damaged_part_is_left_out_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    written(tmp_path, 0, parts.MANY)
    bad = parts.found(tmp_path)[3]
    bad.write_bytes(content)
    expected = [number for number in range(parts.MANY) if number != 3]
    assert rows(tmp_path) == expected
    assert bad.name in caplog.text
    parts.tidy(tmp_path, 1)
    assert rows(tmp_path) == expected
    assert bad.with_suffix(".damaged").exists()


def test_a_model_servers_log_keeps_itself_tidy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "EVERY", 0.005)
    monkeypatch.setattr(requests, "TIDY_S", 0.05)
    place, beside = tmp_path / "requests", tmp_path / "outcomes"
    written(beside, 0, parts.MANY)
    log = RequestLog(place, "1", 30, [beside])
    for number in range(3 * parts.MANY):
        log.append(requests.Record(str(number), time.time(), 1.0, 400, "wrong", None, None, None))
        time.sleep(0.01)
    until = time.monotonic() + 20
    while (len(parts.found(place)) >= parts.MANY or len(parts.found(beside)) > 1) and time.monotonic() < until:
        time.sleep(0.05)
    log.close()
    assert len(parts.found(beside)) == 1 and len(parts.found(place)) < 2 * parts.MANY
    table = parts.read(place)
    assert table is not None
    assert sorted(map(int, table["request_id"].to_pylist())) == list(range(3 * parts.MANY))
