"""What answers beside the models at the same address: the decision endpoint, and what is said of the health of all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from features.settings import Settings
from serving.rollout.processes import DecisionServer, fetch, free_port


class DecisionEndpoint:
    """The decision endpoint as a child that can be started again."""

    PATHS: ClassVar = ("/v1/decisions", "/v1/feedback", "/v1/outcomes")

    def __init__(self, params: Path, settings: Settings) -> None:
        self._params, self._settings, self.port = params, settings, free_port()
        self.server: DecisionServer | None = None

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.server is not None and self.server.ready

    def dead(self) -> str | None:
        """The last words of one that died; None while it lives."""
        return None if self.server is None or self.server.alive else self.server.last_words()

    def raised(self) -> bool:
        """Start it where it is not there; whether it answers by now. Raises `CannotServe`."""
        if self.server is None or not self.server.alive:
            written = self._settings.home / "rollout" / "decisions.log"
            self.server = DecisionServer(self._params, self.port, written, self._settings)
        return self.server.up()

    def standing(self) -> dict[str, Any]:
        """What it says of itself."""
        status, body = fetch(self.port, "/health/ready")
        return {**(json.loads(body) if body else {}), "ready": status == 200}


class Health:
    """Whether all that is to answer does, and what does not, why, and what to do about it.

    Attributes:
        standing: of the processes, see `Watch.standing`.
    """

    def __init__(self, decisions: DecisionEndpoint | None) -> None:
        self._decisions = decisions
        self.standing: Callable[[], dict[str, Any]] = lambda: {
            "serving": {},
            "faults": {"adloop serve": "it is starting"},
        }

    def report(self) -> dict[str, Any]:
        """All of it; `ready` where there is no fault. A family that is left out is none: all else answers."""
        standing = self.standing()
        ready = not standing["faults"]
        if self._decisions is not None:
            standing["decisions"] = self._decisions.standing()
            ready = ready and standing["decisions"]["ready"]
        return {"ready": ready, **standing}
