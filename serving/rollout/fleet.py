"""The servers of all families behind one Envoy, on this machine."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pandas as pd

from features.settings import Settings
from models.bundle import BundleTampered
from serving.rollout import attempts, xds
from serving.rollout.edge import Record
from serving.rollout.envoy import Envoy
from serving.rollout.plan import CannotServe, Split
from serving.rollout.processes import ModelServer

Locate = Callable[[str, str], Path]


class Fleet:
    """A `Traffic` that runs everything itself.

    Args:
        locate: the folder of a family's version, verified.
        beside: ports of other servers of this machine behind the same address, by path.
    """

    #: What serves a bundle.
    command: ClassVar[tuple[str, ...]] = (sys.executable, "-m", "serving.inference")

    def __init__(
        self, settings: Settings, host: str, port: int, locate: Locate, beside: Mapping[str, int] | None = None
    ) -> None:
        self.settings, self._locate = settings, locate
        self._servers: dict[tuple[str, str], ModelServer] = {}
        self._splits: dict[str, Split] = {}
        self.envoy = Envoy(settings.home / "rollout", host, port, beside)

    def url(self, family: str) -> str:
        """Where the families answer: one address for all."""
        return self.envoy.url

    def split(self, family: str, split: Split) -> None:
        """Bring servers up, then move the traffic, then let go of what nobody is sent to any more."""
        self._start(family, split)
        before = {name: one for name, one in self._splits.items() if self._known(name, one)}
        self._splits[family] = split
        leaving = self._clusters(before)
        self.envoy.use([*leaving, *self._new_clusters(before)])
        self.envoy.route(self._splits)
        kept = self._clusters(self._splits)
        self.envoy.drain({one["name"] for one in leaving} - {one["name"] for one in kept})
        self.envoy.use(kept)
        self._stop_idle()

    @property
    def families(self) -> list[str]:
        """Those that are served."""
        return sorted(self._splits)

    def mend(self) -> None:
        """Start champions that died again. A canary that died is left to its verdict."""
        for family, split in list(self._splits.items()):
            if not self._up(family, split.champion):
                self.split(family, split)

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        return attempts.read(self.envoy.attempts, family, since, self.versions())

    def versions(self) -> dict[int, str]:
        """Versions by the port of their server."""
        return {port: server.version for server in self._servers.values() for port in server.ports().values()}

    def close(self) -> None:
        """Stop Envoy, then the servers: nobody is sent to one that is gone."""
        self.envoy.close()
        self._splits.clear()
        self._stop_idle()

    def _start(self, family: str, split: Split) -> None:
        new = [version for version in split.versions if not self._up(family, version)]
        try:
            for version in new:
                self._servers[family, version] = self._launch(family, version)
            for version in new:
                self._servers[family, version].wait_ready()
        except BaseException:
            for started in [self._servers.pop((family, version), None) for version in new]:
                if started is not None:
                    started.stop()
            raise

    def _launch(self, family: str, version: str) -> ModelServer:
        try:
            bundle = self._locate(family, version)
        except BundleTampered as tampered:
            raise CannotServe(version, str(tampered)) from tampered
        log = self.envoy.folder / f"{family}-{version}.log"
        return ModelServer(self.command, family, version, bundle, log, self.settings)

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
        for key in [key for key in self._servers if key not in needed]:
            self._servers.pop(key).stop()
