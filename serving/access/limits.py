"""Rate limits per key: token buckets (Turner's leaky bucket as a meter)."""

from collections.abc import Callable
from time import monotonic

from serving.access.keys import Key


class TooMany(Exception):
    """The bucket is empty. `wait_s`: seconds until it has tokens again."""

    def __init__(self, key: Key, wait_s: float) -> None:
        super().__init__(f"the key '{key.name}' is limited to {key.per_s:g} per second")
        self.wait_s = wait_s


class Buckets:
    """One bucket per key, each with the tokens of one second. Each process has its own.

    A batch may overdraw its bucket, and the key then waits longer: otherwise a batch above the bucket's size would
    never be accepted.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: Key, count: int) -> None:
        """Take tokens. Raises `TooMany` if the bucket is empty."""
        now = self._clock()
        left, at = self._left.get(key.hash, (key.per_s, now))
        left = min(key.per_s, left + (now - at) * key.per_s)
        if left <= 0:
            self._left[key.hash] = (left, now)
            raise TooMany(key, (1e-3 - left) / key.per_s)
        self._left[key.hash] = (left - count, now)
