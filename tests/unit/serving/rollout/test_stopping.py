"""A signal ends a process at whatever moment it comes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.rollout import stopping

#: Pauses of no time, one after the other: a signal is as likely to come between two of them as within one.
WAITS = """
import sys
sys.path.insert(0, {folder!r})
import stopping
stopping.GRACE_S = {grace}
stop = stopping.StopSignal()
stop.listen()
print("listens", flush=True)
try:
    while True:
        {waits}
except stopping.Stopped:
    sys.exit(7)
"""


@contextmanager
def started(waits: str, grace: int = 20) -> Iterator["subprocess.Popen[str]"]:
    program = WAITS.format(folder=str(Path(stopping.__file__).parent), grace=grace, waits=waits)
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()  # one that hangs


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_whenever_it_is_told(name: signal.Signals) -> None:
    for turn in range(20):
        with started("stop.pause(0.0)") as child:
            time.sleep(turn / 2000)
            child.send_signal(name)
            assert child.wait(10) == 7


def test_what_waits_in_a_library_is_ended_by_force() -> None:
    with started("__import__('threading').Lock().acquire() and __import__('time').sleep(600)", grace=1) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == -signal.SIGALRM
