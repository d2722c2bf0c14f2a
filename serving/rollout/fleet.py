"""Runs the model servers of all families behind one local Envoy."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import pandas as pd

from features.settings import Settings
from models.bundle import BundleTampered
from serving.released.split import Split
from serving.rollout import envoy_attempts, xds
from serving.rollout.envoy import Envoy
from serving.rollout.envoy_filters import Record
from serving.rollout.plan import CannotFetch, CannotServe
from serving.rollout.processes import ModelServer, Pause, stop_all

Locate = Callable[[str, str], Path]


class Fleet:
    """A `Traffic` that runs everything itself.

    Args:
        locate: the folder of a family's version, verified.
        extra_ports: ports of other servers of this machine behind the same address, by path.
        pause: sleeps for a number of seconds; an exception of it ends a wait.
    """

    #: What a model server runs.
    module: ClassVar[str] = "serving.inference"

    def __init__(
        self,
        settings: Settings,
        host: str,
        port: int,
        locate: Locate,
        extra_ports: Mapping[str, int] | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self.settings, self._locate, self._pause = settings, locate, pause
        self._servers: dict[tuple[str, str], ModelServer] = {}
        self._starting: dict[tuple[str, str], ModelServer] = {}
        self._splits: dict[str, Split] = {}
        self.envoy = Envoy(settings.home / "rollout", host, port, extra_ports, pause)

    def url(self, family: str) -> str:
        """The address of all families."""
        return self.envoy.url

    def split(self, family: str, split: Split) -> None:
        """Start servers, then move the traffic, then stop unused servers."""
        new = [version for version in split.versions if not self._up(family, version)]
        try:
            while not self.raised(family, new):
                self._pause(0.05)
        except BaseException:
            self._drop(family, new)
            raise
        self.put_in_force(family, split)

    @property
    def splits(self) -> dict[str, Split]:
        """The current split by family."""
        return dict(self._splits)

    @property
    def champions(self) -> dict[str, int]:
        """REST port of the current champions by family."""
        servers = {family: self._servers.get((family, split.champion)) for family, split in self._splits.items()}
        return {family: server.http_port for family, server in servers.items() if server is not None}

    def raised(self, family: str, versions: Iterable[str]) -> bool:
        """Start missing servers of these versions. Returns whether all of them respond.

        Raises `CannotServe` and `CannotFetch` after stopping the failed server.
        """
        all_up = True
        for version in versions:
            key = family, version
            if self._up(*key):
                continue
            if key not in self._starting:
                self._starting[key] = self._launch(*key)
            try:
                up = self._starting[key].up()
            except CannotServe:
                self._starting.pop(key).stop()
                raise
            if up:
                self._servers[key] = self._starting.pop(key)
            all_up = all_up and up
        return all_up

    def put_in_force(self, family: str, split: Split) -> None:
        """Send the traffic to the servers, which must respond (see `raised`)."""
        before = {name: one for name, one in self._splits.items() if self._known(name, one)}
        self._splits[family] = split
        leaving = self._clusters(before)
        self.envoy.use([*leaving, *self._new_clusters(before)])
        self.envoy.route(self._splits)
        kept = self._clusters(self._splits)
        self.envoy.drain({one["name"] for one in leaving} - {one["name"] for one in kept})
        self.envoy.use(kept)
        self._stop_idle()

    def dead(self) -> dict[str, str]:
        """Families whose champion's server died, with its last log line.

        Dead canaries are left to the release, as the champion answers for them.
        """
        champions = {family: self._servers[family, split.champion] for family, split in self._splits.items()}
        return {family: server.last_words() for family, server in champions.items() if not server.alive}

    def revive(self, family: str) -> bool:
        """Restart the server of a dead champion and send the traffic there. Returns whether that is done.

        Raises as `raised`.
        """
        split = self._splits[family]
        if not self.raised(family, [split.champion]):
            return False
        self.put_in_force(family, split)
        return True

    def reopen(self) -> None:
        """Restart a dead Envoy with the current configuration. Raises `EnvoyFailed`."""
        self.envoy.restart()
        self.envoy.use(self._clusters(self._splits))
        self.envoy.route(self._splits)

    def versions(self) -> dict[int, str]:
        """Version by server port."""
        return {port: server.version for server in self._servers.values() for port in server.ports().values()}

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        """Attempts from Envoy's log."""
        return envoy_attempts.read(self.envoy.attempts, family, since, self.versions())

    def close(self) -> None:
        """Stop Envoy first, then the servers."""
        self.envoy.close()
        stop_all([*self._servers.values(), *self._starting.values()])
        for one in (self._splits, self._servers, self._starting):
            one.clear()

    def _launch(self, family: str, version: str) -> ModelServer:
        try:
            bundle = self._locate(family, version)
        except BundleTampered as tampered:
            raise CannotServe(version, f"{tampered}, or adloop rollback {family}") from tampered
        except Exception as fault:  # network, disk or registry: temporary
            raise CannotFetch(f"version {version} cannot be fetched: {fault}") from fault
        log = self.envoy.folder / f"{family}-{version}.log"
        return ModelServer(self.module, family, version, bundle, log, self.settings)

    def _drop(self, family: str, versions: Iterable[str]) -> None:
        """Stop servers of these versions that are not in use."""
        kept = self._splits[family].versions if family in self._splits else ()
        keys = [(family, version) for version in versions]
        idle = [self._starting.pop(key, None) for key in keys]
        idle += [self._servers.pop(key, None) for key in keys if key[1] not in kept]
        stop_all(one for one in idle if one is not None)

    def _known(self, family: str, split: Split) -> bool:
        return all((family, version) in self._servers for version in split.versions)

    def _up(self, family: str, version: str) -> bool:
        server = self._servers.get((family, version))
        return server is not None and server.alive

    def _clusters(self, splits: dict[str, Split]) -> list[Record]:
        return [record for family, split in splits.items() for record in self._family_clusters(family, split)]

    def _new_clusters(self, before: dict[str, Split]) -> list[Record]:
        known = {record["name"] for record in self._clusters(before)}
        return [record for record in self._clusters(self._splits) if record["name"] not in known]

    def _family_clusters(self, family: str, split: Split) -> list[Record]:
        champion = self._servers[family, split.champion].ports()
        found = []
        for protocol, port in champion.items():
            http2 = protocol == "grpc"
            found.append(xds.cluster(xds.cluster_name(family, split.champion, "champion", protocol), [port], http2))
            if split.canary is not None:
                own = self._servers[family, split.canary].ports()[protocol]
                name = xds.cluster_name(family, split.canary, "canary", protocol)
                found.append(xds.cluster(name, [own, port], http2))
        return found

    def _stop_idle(self) -> None:
        needed = {(family, version) for family, split in self._splits.items() for version in split.versions}
        stop_all([self._servers.pop(key) for key in list(self._servers) if key not in needed])
