"""How much one key may ask: a bucket of tokens that fills at its rate (Turner's leaky bucket as a meter)."""

from collections.abc import Callable
from time import monotonic

from serving.access.keys import Key


class TooMany(Exception):
    """The bucket is empty. `wait_s`: seconds until there is something in it again."""

    def __init__(self, key: Key, wait_s: float) -> None:
        super().__init__(f"the key '{key.name}' may send {key.per_s:g} a second")
        self.wait_s = wait_s


class Buckets:
    """One bucket a key, each holding a second's worth. Each process has its own.

    A batch may take more than is left, and its key then waits for longer: else a batch larger than the bucket would
    never get through.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: Key, count: int) -> None:
        """Raises `TooMany` where the key has nothing left."""
        now = self._clock()
        left, at = self._left.get(key.hash, (key.per_s, now))
        left = min(key.per_s, left + (now - at) * key.per_s)
        if left <= 0:
            self._left[key.hash] = (left, now)
            raise TooMany(key, (1e-3 - left) / key.per_s)
        self._left[key.hash] = (left - count, now)
