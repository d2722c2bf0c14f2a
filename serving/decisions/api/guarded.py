"""Parts that may fail while the endpoint goes on: their failures are counted, and told in its readiness."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Any, cast

from serving.decisions.metrics import FAULTS
from serving.decisions.records import Opportunity
from serving.decisions.state.store import Store, StoreUnavailable
from serving.health import disk

#: Seconds for which a failure is told where nothing was asked since, and after which the store is asked to see.
LASTS_S = 5.0


class GuardedStore:
    """A `Store` that remembers what it failed in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failed: dict[str, tuple[float, str]] = {}
        self._asked = monotonic()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def asked(*args: Any, **named: Any) -> Any:
            self._asked = monotonic()
            try:
                answer = method(*args, **named)
            except StoreUnavailable as away:
                FAULTS["store"].inc()
                self._failed[name] = monotonic(), str(away)
                raise
            self._failed.pop(name, None)
            return answer

        return asked

    def fault(self) -> str | None:
        """The newest failure of what was asked of it, until that goes well again or nobody asks any more.

        Where nobody asks anything, it is asked for what it knows of nobody.
        """
        if monotonic() > self._asked + LASTS_S:
            with suppress(StoreUnavailable):
                self.load([Opportunity("readiness", time(), "readiness", "readiness")], "")
        lately = [one for one in list(self._failed.values()) if monotonic() - one[0] < LASTS_S]
        return f"{max(lately)[1]}; bids are withheld or conservative until it does" if lately else None


def guarded(store: Store) -> tuple[Store, Callable[[], str | None]]:
    """The store, and what it fails in."""
    watched = GuardedStore(store)
    return cast(Store, watched), watched.fault


class Disk:
    """Whether a folder can be written, looked at every so many seconds."""

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
