"""Whether the endpoint decides as it should, and if not, why: the one place that gathers the reasons.

Parts are looked at every second. What goes wrong is logged when it begins and when it ends, and is a gauge while it
lasts. Nobody need ask anything for a part to be found well again.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from serving.decisions.metrics import UNREADY

log = logging.getLogger("adloop.decisions")

#: Seconds between looks.
LOOK_S = 1.0

#: Why a part does not do its work, and what to do about it; None while it does.
Part = Callable[[], str | None]


class Readiness:
    """Follows the parts until it is closed.

    Args:
        parts: each must work for the endpoint to be ready.
        left_out: what is damaged and left out, so that all else can do its work; told, and no reason to be not ready.
    """

    def __init__(self, parts: Mapping[str, Part], left_out: Callable[[], Mapping[str, str]]) -> None:
        self._parts, self._left_out = parts, left_out
        self._told: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._aside: Mapping[str, str] = {}
        self._stop = threading.Event()
        for name in parts:
            UNREADY.labels(name).set(0)
        self.look()
        self._thread = threading.Thread(target=self._follow, name="readiness", daemon=True)
        self._thread.start()

    @property
    def reasons(self) -> dict[str, str]:
        """By part, as of the last look; empty where the endpoint is ready."""
        return dict(self._reasons)

    @property
    def left_out(self) -> dict[str, str]:
        return dict(self._aside)

    def look(self) -> None:
        """Say what began and what ended since the last look."""
        found = {name: part() for name, part in self._parts.items()}
        self._reasons = {name: why for name, why in found.items() if why is not None}
        self._aside = self._left_out()
        now = self._reasons | {f"{name} (left out)": why for name, why in self._aside.items()}
        for name in now.keys() - self._told.keys():
            log.error("not as it should be: %s: %s", name, now[name])
        for name in self._told.keys() - now.keys():
            log.warning("as it should be again: %s", name)
        for name in self._parts:
            UNREADY.labels(name).set(name in now)
        self._told = now

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except Exception:
                log.exception("the parts could not be looked at")
