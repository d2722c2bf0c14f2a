"""The decision endpoint as a child process of `adloop serve`, and the health report of all parts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from features.settings import Settings
from serving.rollout.processes import DecisionServer, fetch, free_port


class DecisionEndpoint:
    """The decision endpoint as a restartable child process."""

    PATHS: ClassVar = ("/v1/decisions", "/v1/feedback", "/v1/outcomes")

    def __init__(self, params: Path, settings: Settings) -> None:
        self._params, self._settings, self.port = params, settings, free_port()
        self.server: DecisionServer | None = None

    @property
    def ready(self) -> bool:
        """Whether it responds."""
        return self.server is not None and self.server.ready

    def dead(self) -> str | None:
        """The last log line of a dead process; None while it runs."""
        return None if self.server is None or self.server.alive else self.server.last_words()

    def raised(self) -> bool:
        """Start it where needed. Returns whether it responds. Raises `CannotServe`."""
        if self.server is None or not self.server.alive:
            written = self._settings.home / "rollout" / "decisions.log"
            self.server = DecisionServer(self._params, self.port, written, self._settings)
        return self.server.up()

    def status(self) -> dict[str, Any]:
        """Its own health report."""
        status, body = fetch(self.port, "/health/ready")
        return {**(json.loads(body) if body else {}), "ready": status == 200}


class Health:
    """Health of all parts: faults, causes and hints.

    Attributes:
        status: state of the processes, see `Watch.status`.
    """

    def __init__(self, decisions: DecisionEndpoint | None) -> None:
        self._decisions = decisions
        self.status: Callable[[], dict[str, Any]] = lambda: {
            "serving": {},
            "faults": {"adloop serve": "it is starting"},
        }

    def report(self) -> dict[str, Any]:
        """The health report; `ready` without faults. A family that is left out is not a fault."""
        status = self.status()
        ready = not status["faults"]
        if self._decisions is not None:
            status["decisions"] = self._decisions.status()
            ready = ready and status["decisions"]["ready"]
        return {"ready": ready, **status}
