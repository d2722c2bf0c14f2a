"""The request log and its outcomes: nothing doubled, nothing unbounded, what was logged outlives a kill."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.records import requests_folder
from serving.inference import outcomes, requests
from serving.inference.outcomes import Labels, OutcomeRecorder
from serving.inference.requests import Request, RequestLog
from serving.records.verify import verify


def request(request_id: str, rows: int = 2, status: int = 200) -> Request:
    if status != 200:
        return Request(request_id, time.time(), 1.0, status, "feature 'a': wrong", None, None, None)
    features = pd.DataFrame({"a": np.arange(rows, dtype=float), "b": (["x", None] * rows)[:rows]})
    answers = pd.DataFrame({"p": np.linspace(0, 1, rows), "why": [[{"feature": "a", "effect": 1.0}]] * rows})
    return Request(request_id, time.time(), 2.5, 200, None, [f"c{row}" for row in range(rows)], features, answers)


def logged(home: Path, *asked: Request, version: str = "1") -> RequestLog:
    log = RequestLog(home, "churn", version)
    for one in asked:
        log.append(one)
    log.close()
    return log


def test_what_was_asked_and_answered_is_read_back(tmp_path: Path) -> None:
    logged(tmp_path, request("one", rows=3), request("two", status=400), version="7")
    found = requests.read(tmp_path, "churn")
    assert found["request_id"].tolist() == ["one"] * 3 + ["two"]
    assert found["row"].tolist() == [0, 1, 2, 0]
    assert found["status"].tolist() == [200] * 3 + [400]
    assert set(found["version"]) == {"7"}
    assert found.loc[3, "error"] == "feature 'a': wrong"
    assert requests.features(found)["a"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert requests.answers(found)["why"][0] == '[{"feature": "a", "effect": 1.0}]'
    assert found["entity_id"].tolist()[:3] == ["c0", "c1", "c2"]
    assert abs(requests.newest(tmp_path, "churn").timestamp() - time.time()) < 60
    assert verify(requests_folder(tmp_path, "churn")) == []


def test_requests_are_read_before_they_are_a_part(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, "churn", "1")
    log.append(request("one"))
    until = time.monotonic() + 10
    while (found := requests.read(tmp_path, "churn")).empty and time.monotonic() < until:
        time.sleep(0.05)
    assert set(found["request_id"]) == {"one"}
    log.close()
    assert len(requests.read(tmp_path, "churn")) == 2


def test_versions_with_other_features_are_read_together(tmp_path: Path) -> None:
    logged(tmp_path, request("one"))
    other = Request("two", time.time(), 1.0, 200, None, None, pd.DataFrame({"c": [True]}), pd.DataFrame({"p": [0.5]}))
    logged(tmp_path, other, version="2")
    found = requests.read(tmp_path, "churn")
    assert len(found) == 3
    assert set(requests.features(found)) == {"a", "b", "c"}


def test_only_what_came_since_is_read(tmp_path: Path) -> None:
    logged(tmp_path, request("old"))
    time.sleep(0.01)
    since = datetime.now(UTC)
    logged(tmp_path, request("new"))
    assert set(requests.read(tmp_path, "churn", since)["request_id"]) == {"new"}


def test_rows_that_were_not_answered_are_told_apart(tmp_path: Path) -> None:
    features, answers = pd.DataFrame({"a": [1.0, None, 3.0]}), pd.DataFrame({"p": [0.1, None, 0.3]})
    said = (200, None, ["c0", "nobody", "c2"], features, answers, {1: "customer_id: unknown"})
    logged(tmp_path, request("zero"), Request("one", time.time(), 1.0, *said))
    found = requests.read(tmp_path, "churn").query("request_id == 'one'")
    assert found["status"].tolist() == [200, 404, 200]
    assert found["error"].tolist() == [None, "customer_id: unknown", None]
    assert requests.answers(found)["p"].isna().tolist() == [False, True, False]


def test_memory_is_bounded_and_losses_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LIMIT", 5)
    monkeypatch.setattr(requests, "EVERY", 60.0)
    log = logged(tmp_path, *(request(str(number)) for number in range(4)))
    assert log.dropped == 4
    assert len(requests.read(tmp_path, "churn")) == 4


def test_a_log_that_cannot_be_written_keeps_what_waits_and_goes_on_when_it_can(tmp_path: Path) -> None:
    place = requests_folder(tmp_path, "churn")
    place.parent.mkdir(parents=True)
    place.write_text("a file in the way")
    log = RequestLog(tmp_path, "churn", "1")
    log.append(request("early"))
    time.sleep(3 * requests.EVERY)
    place.unlink()
    log.append(request("late"))
    log.close()
    assert log.dropped == 0
    assert set(requests.read(tmp_path, "churn")["request_id"]) == {"early", "late"}


def test_a_row_that_cannot_be_written_keeps_no_other(tmp_path: Path) -> None:
    bad = Request("bad", time.time(), 1.0, 200, None, ["\ud800"], None, None)
    log = logged(tmp_path, request("one"), bad, request("two"))
    assert set(requests.read(tmp_path, "churn")["request_id"]) == {"one", "two"} and log.dropped == 1


ASKER = """
import sys
from pathlib import Path
from serving.inference import requests
from tests.unit.serving.inference.test_requests import request

requests.EVERY = 0.01
log = requests.RequestLog(Path(sys.argv[1]), "churn", "1")
for at in range(1_000_000):
    log.append(request(str(at)))
    if log._record is not None:
        log._record.flush()
        print(at, flush=True)
"""


def test_a_kill_loses_nothing_that_was_on_disk_and_doubles_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ASKER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        for _ in range(20):
            said = child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        said = (child.stdout.read().splitlines() or [said])[-1]
    for _ in range(2):
        found = requests.read(tmp_path, "churn")
        key = list(zip(found["request_id"], found["row"], strict=True))
        assert len(key) == len(set(key)) >= 20
        assert {str(at) for at in range(len(key) // 2)} == set(found["request_id"])
        assert verify(requests_folder(tmp_path, "churn")) == []
        RequestLog(tmp_path, "churn", "1").close()  # makes a part of what was left


def test_what_is_older_than_it_is_kept_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.records import parts, segment

    logged(tmp_path, request("old"))
    (old,) = parts.found(requests_folder(tmp_path, "churn"))
    os.utime(old, (time.time() - 3 * 86_400,) * 2)
    monkeypatch.setattr(segment, "PART_S", 0.0)
    log = RequestLog(tmp_path, "churn", "1", keep_days=2)
    log.append(request("new"))
    until = time.monotonic() + 10
    while old.exists() and time.monotonic() < until:
        time.sleep(0.05)
    log.close()
    assert set(requests.read(tmp_path, "churn")["request_id"]) == {"new"}


def test_an_outcome_counts_once_however_often_it_comes(tmp_path: Path) -> None:
    logged(tmp_path, request("one"), request("two"))
    told = OutcomeRecorder(tmp_path)
    told.append([Labels("churn", "one", 0, {"churned": 1}), Labels("churn", "one", 1, {"churned": 0})])
    time.sleep(0.002)
    told.append([Labels("churn", "one", row, {"churned": 0}) for row in (0, 1)])
    told.append([Labels("churn", "never asked", 0, {"churned": 1})])
    found = outcomes.joined(tmp_path, "churn", requests.read(tmp_path, "churn"))
    assert found[["request_id", "row", "churned"]].to_numpy().tolist() == [["one", 0, 1], ["one", 1, 0]]
    told.close()
    assert len(outcomes.read(tmp_path, "churn")) == 3 and outcomes.read(tmp_path, "ltv").empty
