"""When something that failed is tried again: after pauses that double, until it was well for a while."""

import time
from collections.abc import Callable

#: Seconds of the first pause, of the longest one, and of health after which failures are forgotten.
FIRST_S, LONGEST_S, STEADY_S = 0.25, 30.0, 60.0


class Backoff:
    """The failures of one thing.

    Attributes:
        failures: in a row.
        total: since it is watched.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest_s: float = LONGEST_S) -> None:
        self._clock, self._longest_s = clock, longest_s
        self.failures = self.total = 0
        self._tried = self._next = clock()

    @property
    def due(self) -> bool:
        """Whether it may be tried now."""
        return self._clock() >= self._next

    @property
    def wait_s(self) -> float:
        """Seconds until it is."""
        return max(0.0, self._next - self._clock())

    def tried(self) -> None:
        """It is tried now: if it fails later than `STEADY_S` from here, that is a first failure again."""
        self._tried = self._clock()

    def failed(self) -> None:
        """It failed: the next try is later than the one before."""
        now = self._clock()
        if now - self._tried > STEADY_S:
            self.failures = 0
        self.failures += 1
        self.total += 1
        self._next = now + min(self._longest_s, FIRST_S * 2 ** min(self.failures - 1, 16))
