"""The request log and its outcomes: nothing doubled, nothing unbounded, no torn part ever read."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving.inference import outcomes, parts, requests
from serving.inference.requests import Record, RequestLog


def record(request_id: str, rows: int = 2, status: int = 200) -> Record:
    if status != 200:
        return Record(request_id, time.time(), 1.0, status, "feature 'a': wrong", None, None, None)
    features = pd.DataFrame({"a": np.arange(rows, dtype=float), "b": (["x", None] * rows)[:rows]})
    answers = pd.DataFrame({"p": np.linspace(0, 1, rows), "why": [[{"feature": "a", "effect": 1.0}]] * rows})
    return Record(request_id, time.time(), 2.5, 200, None, [f"c{row}" for row in range(rows)], features, answers)


def test_what_was_asked_and_answered_is_read_back(tmp_path: Path) -> None:
    log = RequestLog(requests.folder(tmp_path, "churn"), "7")
    log.append(record("one", rows=3))
    log.append(record("two", status=400))
    log.close()
    found = requests.read(tmp_path, "churn")
    assert found["request_id"].tolist() == ["one"] * 3 + ["two"]
    assert found["row"].tolist() == [0, 1, 2, 0]
    assert found["status"].tolist() == [200] * 3 + [400]
    assert set(found["version"]) == {"7"}
    assert found.loc[3, "error"] == "feature 'a': wrong"
    assert requests.features(found)["a"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert requests.answers(found)["why"][0] == '[{"feature": "a", "effect": 1.0}]'
    assert found["entity_id"].tolist()[:3] == ["c0", "c1", "c2"]


def test_parts_of_versions_with_other_features_are_read_together(tmp_path: Path) -> None:
    place = requests.folder(tmp_path, "churn")
    parts.write(place, requests.to_table([record("one")], "1"))
    other = Record("two", time.time(), 1.0, 200, None, None, pd.DataFrame({"c": [True]}), pd.DataFrame({"p": [0.5]}))
    parts.write(place, requests.to_table([other], "2"))
    found = requests.read(tmp_path, "churn")
    assert len(found) == 3
    assert set(requests.features(found)) == {"a", "b", "c"}


def test_only_what_came_since_is_read(tmp_path: Path) -> None:
    place = requests.folder(tmp_path, "churn")
    parts.write(place, requests.to_table([record("old")], "1"))
    time.sleep(0.01)
    since = datetime.now(UTC)
    parts.write(place, requests.to_table([record("new")], "1"))
    assert set(requests.read(tmp_path, "churn", since)["request_id"]) == {"new"}


def test_a_part_being_written_is_not_there_yet(tmp_path: Path) -> None:
    place = requests.folder(tmp_path, "churn")
    place.mkdir(parents=True)
    (place / ".000-1-1.parquet").write_bytes(b"PAR1 torn")
    assert requests.read(tmp_path, "churn").empty


@pytest.mark.parametrize("name", ["notes.parquet", "0000000000001-1-1.parquet"])
def test_what_is_no_part_or_is_damaged_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    place = requests.folder(tmp_path, "churn")
    parts.write(place, requests.to_table([record("one")], "1"))
    (place / name).write_bytes(b"PAR1 torn")
    for since in (None, datetime.fromtimestamp(0, UTC)):
        assert set(requests.read(tmp_path, "churn", since)["request_id"]) == {"one"}
    assert name.startswith("notes") or f"{name} cannot be read" in caplog.text


def test_rows_that_were_not_answered_are_told_apart(tmp_path: Path) -> None:
    features, answers = pd.DataFrame({"a": [1.0, None, 3.0]}), pd.DataFrame({"p": [0.1, None, 0.3]})
    said = (200, None, ["c0", "nobody", "c2"], features, answers, {1: "customer_id: unknown"})
    place = requests.folder(tmp_path, "churn")
    parts.write(place, requests.to_table([record("zero"), Record("one", time.time(), 1.0, *said)], "1"))
    found = requests.read(tmp_path, "churn").query("request_id == 'one'")
    assert found["status"].tolist() == [200, 404, 200]
    assert found["error"].tolist() == [None, "customer_id: unknown", None]
    assert requests.answers(found)["p"].isna().tolist() == [False, True, False]


def test_memory_is_bounded_and_losses_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LIMIT", 5)
    monkeypatch.setattr(requests, "EVERY", 60.0)
    log = RequestLog(requests.folder(tmp_path, "churn"), "1")
    for number in range(4):
        log.append(record(str(number)))
    log.close()
    assert log.dropped == 4
    assert len(requests.read(tmp_path, "churn")) == 4


def test_a_log_that_cannot_be_written_goes_on_when_it_can(tmp_path: Path) -> None:
    place = requests.folder(tmp_path, "churn")
    place.parent.mkdir(parents=True)
    place.write_text("a file in the way")
    log = RequestLog(place, "1")
    log.append(record("lost"))
    deadline = time.monotonic() + 10
    while not log.dropped and time.monotonic() < deadline:
        time.sleep(0.05)
    assert log.dropped == 2
    place.unlink()
    log.append(record("kept"))
    log.close()
    assert set(requests.read(tmp_path, "churn")["request_id"]) == {"kept"}


def test_an_outcome_counts_once_however_often_it_comes(tmp_path: Path) -> None:
    parts.write(requests.folder(tmp_path, "churn"), requests.to_table([record("one"), record("two")], "1"))
    first = pd.DataFrame({"request_id": ["one", "one"], "row": [0, 1], "churned": [1, 0]})
    outcomes.append(tmp_path, "churn", first)
    time.sleep(0.002)
    outcomes.append(tmp_path, "churn", first.assign(churned=[0, 0]))
    outcomes.append(tmp_path, "churn", pd.DataFrame({"request_id": ["never asked"], "row": [0], "churned": [1]}))
    found = outcomes.joined(tmp_path, "churn", requests.read(tmp_path, "churn"))
    assert found[["request_id", "row", "churned"]].to_numpy().tolist() == [["one", 0, 1], ["one", 1, 0]]


def test_an_outcome_without_its_request_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="request_id"):
        outcomes.append(tmp_path, "churn", pd.DataFrame({"churned": [1]}))
