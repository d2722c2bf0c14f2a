"""Exponential backoff for retries, reset after a period without failures."""

import time
from collections.abc import Callable

#: Seconds of the first pause, of the longest one, and without failure until a reset.
FIRST_S, LONGEST_S, STEADY_S = 0.25, 30.0, 60.0


class Backoff:
    """Retry state of one part.

    Attributes:
        failures: consecutive failures.
        total: failures since the start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest_s: float = LONGEST_S) -> None:
        self._clock, self._longest_s = clock, longest_s
        self.failures = self.total = 0
        self._tried = self._next = clock()

    @property
    def due(self) -> bool:
        """Whether a retry is due."""
        return self._clock() >= self._next

    @property
    def wait_s(self) -> float:
        """Seconds until the next retry."""
        return max(0.0, self._next - self._clock())

    def tried(self) -> None:
        """Record a try; a failure more than `STEADY_S` later counts as a first one."""
        self._tried = self._clock()

    def failed(self) -> None:
        """Record a failure; doubles the pause."""
        now = self._clock()
        if now - self._tried > STEADY_S:
            self.failures = 0
        self.failures += 1
        self.total += 1
        self._next = now + min(self._longest_s, FIRST_S * 2 ** min(self.failures - 1, 16))
