"""Families side by side: two at once, in order; what fails ends the run, and an interrupt is not held up."""

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from rich.console import Console

from pipelines.local import PipelineStep
from pipelines.side_by_side import ABREAST, Progress, side_by_side, threads_each

NAMES = ["churn", "ltv", "bidding", "creative"]


def meeting() -> Callable[[], object]:
    """Returns when `ABREAST` threads have come."""
    return threading.Barrier(ABREAST, timeout=30).wait


def test_two_are_at_work_at_any_time_and_all_in_the_end() -> None:
    met, begun, at_work, most = meeting(), [], set[str](), [0]

    def work(name: str) -> None:
        begun.append(name)
        at_work.add(name)
        most.append(len(at_work))
        met()
        at_work.discard(name)
        met()

    side_by_side(NAMES, work)
    assert sorted(begun) == sorted(NAMES) and set(begun[:2]) == set(NAMES[:2])
    assert max(most) == ABREAST


def test_after_an_error_what_runs_ends_and_nothing_begins() -> None:
    met, ended, failed = meeting(), [], threading.Event()

    def work(name: str) -> None:
        met()
        if name == "churn":
            failed.set()
            raise ValueError("churn: no table")
        assert failed.wait(30)
        ended.append(name)

    with pytest.raises(ValueError, match="churn: no table"):
        side_by_side(NAMES, work)
    assert ended == ["ltv"]


def test_an_interrupt_is_not_held_up() -> None:
    code = """
import os, signal, time
from pipelines.side_by_side import side_by_side
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests were started in the background
def work(name):
    os.write(1, name.encode() + b"\\n")  # at once: what two threads print may mix
    time.sleep(600)
side_by_side(["one", "two", "three"], work)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stderr is not None
        assert {run.stdout.readline(), run.stdout.readline()} == {b"one\n", b"two\n"}
        run.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in run.stderr.read()


@pytest.mark.parametrize(
    ("cores", "given", "families", "expected"),
    [(2, "2", 4, 1), (2, "2", 1, 2), (16, "2", 4, 2), (16, None, 4, 8), (1, None, 2, 1), (2, "2", 0, 2)],
)
def test_pipelines_at_once_share_the_cores(
    cores: int, given: str | None, families: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads_each(families) == expected


def test_each_step_is_a_line_with_its_family() -> None:
    console = Console(file=io.StringIO(), width=100)
    with Progress(console) as progress:
        progress.show("churn", PipelineStep("ingest", "running", 0.0, {}))
        progress.show("ltv", PipelineStep("train", "running", 0.0, {}))
        progress.show("churn", PipelineStep("ingest", "cached", 0.0, {"notes": ["2 rows [twice]"]}))
        progress.show("ltv", PipelineStep("train", "done", 12.34, {}))
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]
    assert lines == [
        "  = ingest        0.0 s churn (unchanged)",
        "    note 2 rows [twice]",
        "  ✓ train        12.3 s ltv",
    ]
