"""The servers beside the models as child processes of `adloop serve`, and the health report of all parts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from features.settings import Settings
from serving.rollout.openapi import BESIDE
from serving.rollout.processes import DecisionServer, ServerProcess, TextServer, fetch, free_port


class ServedEndpoint:
    """A server beside the models as a restartable child process.

    Args:
        name: in reports, metrics and log files; its public paths are in `openapi.BESIDE`.
        start: starts its process on a port, with a log file.
    """

    def __init__(self, name: str, start: Callable[[int, Path], ServerProcess], settings: Settings) -> None:
        self.name, self.paths, self.port = name, BESIDE[name], free_port()
        self._start, self._log = start, settings.home / "rollout" / f"{name}.log"
        self.server: ServerProcess | None = None

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
            self.server = self._start(self.port, self._log)
        return self.server.up()

    def status(self) -> dict[str, Any]:
        """Its own health report."""
        status, body = fetch(self.port, "/health/ready")
        return {**(json.loads(body) if body else {}), "ready": status == 200}


def endpoints(params: Path, settings: Settings) -> list[ServedEndpoint]:
    """The decision endpoint and the text server.

    Args:
        params: the `params.yaml` with the decision parameters.
    """
    return [
        ServedEndpoint("decisions", lambda port, log: DecisionServer(params, port, log, settings), settings),
        ServedEndpoint("texts", lambda port, log: TextServer(port, log, settings), settings),
    ]


class Health:
    """Health of all parts: faults, causes and hints.

    Attributes:
        status: state of the processes, see `Watch.status`.
    """

    def __init__(self, beside: Sequence[ServedEndpoint]) -> None:
        self._beside = beside
        self.status: Callable[[], dict[str, Any]] = lambda: {
            "serving": {},
            "faults": {"adloop serve": "it is starting"},
        }

    def report(self) -> dict[str, Any]:
        """The health report; `ready` without faults. A family that is left out is not a fault."""
        status = self.status()
        ready = not status["faults"]
        for one in self._beside:
            status[one.name] = one.status()
            ready = ready and status[one.name]["ready"]
        return {"ready": ready, **status}
