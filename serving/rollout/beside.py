"""What answers beside the models at the same address: the decision endpoint, and what is said of the health of all."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

from features.settings import Settings
from serving.rollout.processes import DecisionServer, fetch, free_port


class DecisionEndpoint:
    """The decision endpoint as a child that can be started again."""

    PATHS: ClassVar = ("/v1/decisions", "/v1/feedback")

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
    """Says over HTTP whether all that is to answer does, and what does not, why, and what to do about it.

    Args:
        standing: of the processes, see `Watch.standing`.
    """

    PATHS: ClassVar = ("/health/ready", "/health/live", "/v2/health/ready", "/v2/health/live")

    def __init__(self, decisions: DecisionEndpoint | None) -> None:
        self._decisions = decisions
        self.standing: Callable[[], dict[str, Any]] = lambda: {"faults": {"adloop serve": "it is starting"}}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def report(self) -> dict[str, Any]:
        """All of it; `ready` where there is no fault. A family that is left out is none: all else answers."""
        standing = self.standing()
        ready = not standing["faults"]
        if self._decisions is not None:
            standing["decisions"] = self._decisions.standing()
            ready = ready and standing["decisions"]["ready"]
        return {"ready": ready, **standing}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        health = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                report = {"live": True} if self.path.endswith("/live") else health.report()
                body = json.dumps(report).encode()
                self.send_response(200 if report.get("ready", True) else 503)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Who looks often fills no log."""

        return Handler
