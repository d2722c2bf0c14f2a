"""Parses Redis addresses: one server, the primary behind Sentinels, or a cluster.

redis://[user:password@]host[:port][/db]                     rediss:// with TLS
redis+sentinel://[user:password@]host[:port],.../service[/db]   the hosts are Sentinels; ?sentinel_password=
redis+cluster://[user:password@]host[:port],...              some of the cluster's nodes
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

KINDS: dict[str, tuple[Literal["one", "sentinel", "cluster"], bool]] = {
    "redis": ("one", False),
    "rediss": ("one", True),
    "unix": ("one", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_PORTS = {"sentinel": 26379, "cluster": 6379}
#: Seconds that a client of a request waits for a server.
PATIENCE: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 5}


def is_redis(place: str) -> bool:
    """Whether this is a Redis address."""
    return place.partition("://")[0] in KINDS and "://" in place


@dataclass(frozen=True)
class Address:
    """A parsed address. Raises `ValueError` for an invalid one, without repeating its password."""

    url: str

    def __post_init__(self) -> None:
        if not is_redis(self.url):
            raise ValueError(f"ADLOOP_REDIS_URL: expected an address that begins with one of {', '.join(KINDS)}")
        if self.kind != "one":
            _ = self.hosts
        try:
            _ = self.kind != "one" or urlsplit(self.url).port
        except ValueError as wrong:
            raise ValueError(f"ADLOOP_REDIS_URL: {wrong}") from None
        if self.kind == "sentinel" and not self._path[0]:
            raise ValueError("ADLOOP_REDIS_URL: expected the service's name behind the Sentinels: .../service")

    @property
    def kind(self) -> Literal["one", "sentinel", "cluster"]:
        return KINDS[self.url.partition("://")[0]][0]

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """Hosts and ports of the Sentinels or cluster nodes."""
        found = []
        for one in self._split[0].rpartition("@")[2].split(","):
            host, _, port = one.rpartition(":") if ":" in one.rpartition("]")[2] else (one, "", "")
            if not host or not (port.isdigit() or not port):
                raise ValueError(f"ADLOOP_REDIS_URL: expected host:port,host:port, got '{one}'")
            found.append((host.strip("[]"), int(port or _PORTS[self.kind])))
        return found

    def pool(self, **options: Any) -> Any:
        """A pool of connections to the server, or to the current primary."""
        from redis import ConnectionPool

        if self.kind == "one":
            return ConnectionPool.from_url(self.url, **options)
        return self._primary(options).connection_pool

    def client(self, **options: Any) -> Any:
        """A redis-py client."""
        from redis import Redis

        if self.kind == "one":
            return Redis.from_url(self.url, **options)
        return self._primary(options) if self.kind == "sentinel" else self.cluster(**options)

    def cluster(self, **options: Any) -> Any:
        """A cluster client; raises where no node responds."""
        from redis.cluster import ClusterNode, RedisCluster

        nodes: list[Any] = [ClusterNode(host, port) for host, port in self.hosts]  # type: ignore[no-untyped-call]
        return RedisCluster(startup_nodes=nodes, **self.credentials, **options)

    def _primary(self, options: dict[str, Any]) -> Any:
        from redis.sentinel import Sentinel

        service, _, database = self._path
        said = parse_qs(self._split[1].query).get("sentinel_password", [None])[0]
        waits = {name: value for name, value in options.items() if name.startswith("socket_")}
        sentinel: Any = Sentinel(self.hosts, sentinel_kwargs={**waits, "password": said})  # type: ignore[no-untyped-call]
        return sentinel.master_for(service, db=int(database or 0), **self.credentials, **options)

    @property
    def _path(self) -> tuple[str, str, str]:
        return self._split[1].path.strip("/").partition("/")

    @property
    def _split(self) -> tuple[str, SplitResult]:
        """Credentials with hosts, and the rest: `urlsplit` rejects an IPv6 address among several hosts."""
        scheme, _, rest = self.url.partition("://")
        hosts = re.split("[/?#]", rest, maxsplit=1)[0]
        return hosts, urlsplit(f"{scheme}://{rest[len(hosts) :]}")

    @property
    def credentials(self) -> dict[str, Any]:
        """User, password and TLS options of a connection."""
        given, at, _ = self._split[0].rpartition("@")
        user, _, password = given.partition(":")
        tls = {"ssl": True} if KINDS[self.url.partition("://")[0]][1] else {}
        return {"username": unquote(user) or None, "password": unquote(password) or None, **tls} if at else tls
