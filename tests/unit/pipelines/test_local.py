"""Runs of small real pipelines through kfp.local, in processes of their own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from features.settings import Settings
from pipelines.local import StepFailed, run

TOY = Path(__file__).parent / "toy"


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TOY))
    return "toy_pipelines.toy"


def states(result):
    return {step.name: step.state for step in result.steps}


def test_a_run_returns_what_each_step_did_and_the_second_finds_it_cached(toy, tmp_path):
    settings = Settings(home=tmp_path, redis_url="redis://elsewhere:6379/0")
    arguments = {"source": "a", "params": {"depth": 3, "rate": 0.5, "nested": {"days": [28, 56]}}}
    told = []
    first = run(toy, "churn", arguments, settings, progress=told.append)
    assert states(first) == {"ingest": "done", "train": "done", "register": "done", "release": "done"}
    assert first.result("ingest") == {"home": str(tmp_path), "redis": "redis://elsewhere:6379/0"}
    # Kubeflow carries every number as a double; what was whole is whole again.
    trained = first.result("train")["params"]
    assert trained == arguments["params"] and isinstance(trained["nested"]["days"][0], int)
    assert first.result("release") == {"version": "7"}
    assert [(step.name, step.state) for step in told][:2] == [("ingest", "running"), ("ingest", "done")]

    again = run(toy, "churn", arguments, settings)
    assert states(again) == {"ingest": "cached", "train": "cached", "register": "cached", "release": "done"}
    assert again.result("train") == first.result("train")

    changed = run(toy, "churn", arguments | {"params": {"depth": 4}}, settings)
    assert states(changed) == {"ingest": "cached", "train": "done", "register": "done", "release": "done"}

    elsewhere = run(toy, "churn", arguments, Settings(home=tmp_path))
    assert states(elsewhere)["ingest"] == "done", "other places are another cache"


def test_what_is_not_accepted_is_not_released(toy, tmp_path):
    refused = run(toy, "churn", {"source": "a", "params": {}, "accepted": "no"}, Settings(home=tmp_path))
    assert states(refused) == {"ingest": "done", "train": "done", "register": "done"}
    assert refused.result("release") is None


def test_a_failing_step_says_why_at_once_and_nothing_of_it_is_cached(toy, tmp_path, capfd):
    settings, arguments = Settings(home=tmp_path), {"source": "a", "params": {"broken": "below 0"}}
    told = []
    for _ in range(2):
        with pytest.raises(StepFailed) as failed:
            run(toy, "churn", arguments, settings, progress=told.append)
        assert failed.value.step == "train"
        assert failed.value.error == "ValueError: table 'customers', column 'age': below 0\n  row 7: -1"
        assert "Traceback" in failed.value.log.read_text()
    assert [step.state for step in told if step.name == "ingest"] == ["running", "done", "running", "cached"]
    attempts = next((tmp_path / "checkpoints").rglob("attempts"))
    assert attempts.read_text() == "2", "a step that fails here is not retried: it would only fail again"
    assert capfd.readouterr() == ("", ""), "kfp's own talk belongs in the log"


def test_two_runs_at_once_do_the_work_once(toy, tmp_path):
    settings, results = Settings(home=tmp_path), []
    arguments = {"source": "a", "params": {"depth": 3}}
    threads = [threading.Thread(target=lambda: results.append(run(toy, "churn", arguments, settings))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states(result)["train"] for result in results) == ["cached", "done"]


def test_killed_in_training_nothing_works_on_and_the_next_run_resumes(toy, tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", _slow_run(tmp_path)], env=os.environ | {"PYTHONPATH": _path()})
    pid = int(_wait_for(tmp_path / "train.pid"))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    _wait_until(lambda: not _alive(pid))
    result = run(toy, "churn", {"source": "a", "params": {"slow": True}}, Settings(home=tmp_path))
    assert states(result)["ingest"] == "cached"
    assert result.result("train")["attempts"] == 2, "the same checkpoint is found again"


def _slow_run(home: Path) -> str:
    return f"""
from pathlib import Path
from features.settings import Settings
from pipelines.local import run
run("toy_pipelines.toy", "churn", {{"source": "a", "params": {{"slow": True}}}}, Settings(home=Path({str(home)!r})))
"""


def _path() -> str:
    return os.pathsep.join([str(TOY), str(Path(__file__).parents[3])])


def _wait_for(path: Path) -> str:
    _wait_until(lambda: path.exists() and path.read_text() != "")
    return path.read_text()


def _wait_until(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
