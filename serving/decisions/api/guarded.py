"""Health checks of the parts that may fail while the endpoint keeps running."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Any, cast

from serving.decisions.metrics import FAULTS
from serving.decisions.records import Opportunity
from serving.decisions.state.store import Store, StoreUnavailable
from serving.health import disk

#: Seconds for which a failure is reported, and after which an idle store is probed.
LASTS_S = 5.0


class GuardedStore:
    """A `Store` that remembers its recent failures."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failed: dict[str, tuple[float, str]] = {}
        self._called_at = monotonic()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def guarded_method(*args: Any, **named: Any) -> Any:
            self._called_at = monotonic()
            try:
                answer = method(*args, **named)
            except StoreUnavailable as away:
                FAULTS["store"].inc()
                self._failed[name] = monotonic(), str(away)
                raise
            self._failed.pop(name, None)
            return answer

        return guarded_method

    def fault(self) -> str | None:
        """The most recent failure within `LASTS_S` seconds whose method has not succeeded since; None without one.

        An idle store is probed with a read.
        """
        if monotonic() > self._called_at + LASTS_S:
            with suppress(StoreUnavailable):
                self.load([Opportunity("readiness", time(), "readiness", "readiness")], "")
        lately = [one for one in list(self._failed.values()) if monotonic() - one[0] < LASTS_S]
        return f"{max(lately)[1]}; bids are withheld or conservative until it recovers" if lately else None


def guarded(store: Store) -> tuple[Store, Callable[[], str | None]]:
    """The store with failure tracking, and its health check."""
    watched = GuardedStore(store)
    return cast(Store, watched), watched.fault


class Disk:
    """Checks at intervals whether a folder is writable."""

    def __init__(self, folder: Path, every_s: float = 2.0) -> None:
        self._folder, self._every_s = folder, every_s
        self._next, self._fault = 0.0, disk.fault(folder)

    def fault(self) -> str | None:
        if monotonic() >= self._next:
            self._next = monotonic() + self._every_s
            before, self._fault = self._fault, disk.fault(self._folder)
            if self._fault is not None and before is None:
                FAULTS["disk"].inc()
        return self._fault
