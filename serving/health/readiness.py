"""Readiness of the endpoint, with the reason of each part that fails.

Parts are checked every second. Each change is logged and shown as a gauge.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from prometheus_client import Gauge

log = logging.getLogger("adloop.readiness")

#: Seconds between checks.
LOOK_S = 1.0

#: Returns why a part fails and what to do; None while it works.
Part = Callable[[], str | None]


class Readiness:
    """Checks the parts from `start` until it is closed; none works before the first check.

    Args:
        parts: must all work for the endpoint to be ready.
        left_out: what is missing or damaged and skipped; reported, without affecting readiness.
        unready: by `part`, 1 while it fails.
    """

    def __init__(self, parts: Mapping[str, Part], left_out: Callable[[], Mapping[str, str]], unready: Gauge) -> None:
        self._parts, self._left_out, self._unready = parts, left_out, unready
        self._told: dict[str, str] = {}
        self._reasons = dict.fromkeys(parts, "not checked yet")
        self._aside: Mapping[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="readiness", daemon=True)

    def start(self) -> None:
        """Check from now on."""
        self._thread.start()

    @property
    def reasons(self) -> dict[str, str]:
        """Reasons by part at the last check; empty while ready."""
        return dict(self._reasons)

    @property
    def left_out(self) -> dict[str, str]:
        return dict(self._aside)

    def look(self) -> None:
        """Check the parts, and log what changed."""
        found = {name: part() for name, part in self._parts.items()}
        self._reasons = {name: why for name, why in found.items() if why is not None}
        self._aside = self._left_out()
        now = self._reasons | {f"{name} (left out)": why for name, why in self._aside.items()}
        for name in now.keys() - self._told.keys():
            log.error("fault: %s: %s", name, now[name])
        for name in self._told.keys() - now.keys():
            log.warning("recovered: %s", name)
        for name in self._parts:
            self._unready.labels(name).set(name in now)
        self._told = now

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                log.exception("the readiness check failed")
            if self._stop.wait(LOOK_S):
                return
