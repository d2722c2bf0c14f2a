"""What Envoy logged is found by its time, wherever in a long log it is."""

import json
from pathlib import Path

import pytest

from serving.rollout import envoy_attempts

COUNT = 3000


def line(at: float) -> bytes:
    told = {"at": f"{at:.6f}", "family": "churn", "cluster": "churn/2/canary/rest", "host": None, "code": 200}
    return json.dumps({**told, "flags": "-", "grpc": None, "us": 1500, "ms": 2}).encode() + b"\n"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One attempt a second from second 1000 on, logged up to half a minute late; the last line is not whole."""
    monkeypatch.setattr(envoy_attempts, "STRIDE", 777)
    begun = sorted(range(COUNT), key=lambda at: at + at * 7919 % 30)
    place = tmp_path / "attempts.jsonl"
    place.write_bytes(b"".join(line(1000.0 + at) for at in begun) + line(9e9)[:40])
    return place


@pytest.mark.parametrize("since", [0.0, 1000.0, 1031.5, 2500.0, 3970.5, 3999.0, 4000.0, 1e6])
def test_all_attempts_since_a_time_are_found_and_no_others(log: Path, since: float) -> None:
    found = envoy_attempts.read(log, "churn", since, {})
    assert sorted(found["at"]) == [1000.0 + at for at in range(COUNT) if 1000.0 + at >= since]
    assert found.empty or (found["version"].unique().tolist(), found["latency_ms"].unique().tolist()) == (["2"], [1.5])


def test_of_a_long_log_the_end_is_read(log: Path) -> None:
    assert len(envoy_attempts._whole_lines(log, 3990.0)) < 150 < COUNT
    assert len(envoy_attempts._whole_lines(log, 0.0)) == COUNT


@pytest.mark.parametrize("written", [b"", line(5.0)[:30], line(5.0)])
def test_a_log_that_has_just_begun_is_read(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "log").write_bytes(written)
    assert len(envoy_attempts.read(tmp_path / "log", "churn", 0.0, {})) == written.count(b"\n")


@pytest.mark.parametrize(
    "changed",
    [
        {"cluster": "beside/8083"},
        {"cluster": None},
        {"cluster": "ltv/2/canary/rest"},
        {"code": "many"},
        {"at": None},
        {"at": "soon"},
        {"host": "no port"},
        {"host": "127.0.0.1:x"},
        {"us": "long"},
    ],
)
@pytest.mark.parametrize("written", ["a field", "no JSON", "no object"])
def test_a_line_of_no_attempt_is_skipped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changed: dict[str, object], written: str
) -> None:
    strange = json.dumps({**json.loads(line(5.0)), **changed}).encode()
    strange = {"a field": strange, "no JSON": strange[:50], "no object": b"[1]"}[written] + b"\n"
    (tmp_path / "log").write_bytes(line(4.0) + strange + line(6.0))
    assert envoy_attempts.read(tmp_path / "log", "churn", 0.0, {})["at"].tolist() == [4.0, 6.0]
    assert "skipped 1 invalid lines" in caplog.text


@pytest.mark.parametrize("refused", [{"code": 401}, {"code": 403}, {"grpc": 16}, {"grpc": 7}])
def test_who_is_refused_for_a_key_is_no_attempt(tmp_path: Path, refused: dict[str, int]) -> None:
    stranger = json.dumps({**json.loads(line(5.0)), **refused}).encode() + b"\n"
    (tmp_path / "log").write_bytes(line(4.0) + stranger)
    assert envoy_attempts.read(tmp_path / "log", "churn", 0.0, {})["at"].tolist() == [4.0]
