"""Graceful stop on SIGTERM and SIGINT.

A signal handler can run while the main thread holds a lock, so it must not take one. `threading.Event.set` takes the
lock that `Event.wait` holds briefly.
"""

import signal
import time

#: Seconds from the first signal to a forced end. Children die with the process (`die_with_parent.py`).
GRACE_S = 25


class Stopped(Exception):
    """A stop was requested during a wait."""


class StopSignal:
    """Handles SIGTERM and SIGINT after `listen`."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """Install the handlers: a signal stops the process gracefully, and by force after `GRACE_S` seconds."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._heard)

    def pause(self, seconds: float) -> None:
        """Sleep. Raises `Stopped` once a stop was requested."""
        if not self.asked:
            time.sleep(seconds)
        if self.asked:
            raise Stopped

    def _heard(self, *_: object) -> None:
        if not self.asked:
            signal.alarm(GRACE_S)  # unhandled SIGALRM also ends waits inside libraries
        self.asked = True
