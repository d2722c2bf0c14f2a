"""A signal ends a process at whatever moment it comes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serving.rollout import stopping

#: Pauses for moments so short that a signal is as likely to come between two of them as within one.
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


def started(waits: str, grace: int = 20) -> "subprocess.Popen[str]":
    program = WAITS.format(folder=str(Path(stopping.__file__).parent), grace=grace, waits=waits)
    child = subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_whenever_it_is_told(name: signal.Signals) -> None:
    for turn in range(40):
        with started("stop.pause(0.00001)") as child:
            time.sleep(turn / 4000)
            child.send_signal(name)
            assert child.wait(10) == 7


def test_what_waits_in_a_library_is_ended_by_force() -> None:
    with started("__import__('threading').Lock().acquire() and __import__('time').sleep(600)", grace=1) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == -signal.SIGALRM
