"""Whether this process was asked to end.

A signal handler may run between any two instructions of the main thread, inside a lock that this thread holds too: it
must take none. `threading.Event.set` takes one, the same that `Event.wait` holds for a moment.
"""

import signal
import time

#: Seconds from the first signal to the end, whatever the process waits for. Children end with it (`leash.py`).
GRACE_S = 25


class Stopped(Exception):
    """The process was asked to end while it waited."""


class Stop:
    """Hears SIGTERM and SIGINT from `listen` on."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """From now on a signal ends the process in an orderly way, and by force after `GRACE_S` seconds."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._heard)

    def pause(self, seconds: float) -> None:
        """Sleep for a moment. Raises `Stopped` once the process was asked to end."""
        if not self.asked:
            time.sleep(seconds)
        if self.asked:
            raise Stopped

    def _heard(self, *_: object) -> None:
        if not self.asked:
            signal.alarm(GRACE_S)  # SIGALRM, which nobody handles, also ends what waits in a library's code
        self.asked = True
