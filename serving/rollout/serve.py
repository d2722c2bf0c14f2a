"""`adloop serve`: serves the champions of all families at one address, and carries out releases."""

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock, Timeout

from features.settings import Settings
from models import catalog
from models.registry import Registry
from serving.access import own
from serving.access.scopes import OPEN
from serving.decisions.params import read
from serving.released.split import Split
from serving.rollout import envoy_attempts
from serving.rollout.endpoints import Health, ServedEndpoint, endpoints
from serving.rollout.envoy import EnvoyFailed
from serving.rollout.fleet import Fleet
from serving.rollout.plan import CannotFetch, CannotServe
from serving.rollout.processes import PATIENCE, free, stop_all
from serving.rollout.stopping import Stopped, StopSignal
from serving.rollout.watch import Watch

if TYPE_CHECKING:
    from serving.rollout.server_endpoints import ServerEndpoints

log = logging.getLogger("adloop.serve")

#: Seconds between polls of requested splits and of child processes.
LOOK = 0.2


class NotServing(ConnectionError):
    """`adloop serve` ended before it carried out a request."""


class CannotStart(ConnectionError):
    """`adloop serve` cannot start: its home or port is taken."""


def running(settings: Settings) -> bool:
    """Whether `adloop serve` runs on this home."""
    try:
        with _lock(settings).acquire(timeout=0):
            return False
    except Timeout:
        return True


def serve(settings: Settings, params: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises `CannotStart`, `ValueError` for invalid parameters, and `EnvoyFailed` where Envoy keeps failing.

    Args:
        params: the `params.yaml` with the decision parameters; None for models only.
    """
    # Here, because a release imports this module to be handed to whoever serves: FastAPI is a fifth of its start.
    from serving.rollout.server_endpoints import ServerEndpoints

    if params is not None:
        read(params)
    stop = StopSignal()
    stop.listen()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # the watch retries
    with suppress(Stopped), _alone(settings), ExitStack() as opened:
        own.key(settings)
        beside = [] if params is None else endpoints(params, settings)
        health = Health(beside)
        front = ServerEndpoints(settings, health.report)
        opened.callback(front.close)
        fleet = _fleet(settings, front, beside, stop)
        opened.callback(lambda: _close(fleet, beside))
        watch = Watch(fleet, beside, catalog.NAMES, Registry(settings), settings)
        health.status, front.ports = watch.status, lambda: _ports(fleet, beside)
        announced = False
        while True:
            watch.look()
            if not announced and watch.settled:
                announced = True
                _announce(fleet, watch, beside, settings)
            _answer(fleet, watch, settings)
            stop.pause(LOOK)


def _fleet(settings: Settings, front: "ServerEndpoints", beside: Sequence[ServedEndpoint], stop: StopSignal) -> Fleet:
    extra_ports = front.port_by_path | {path: one.port for one in beside for path in one.paths}
    return Fleet(settings, settings.host, settings.port, Registry(settings).download, extra_ports, stop.pause)


def _ports(fleet: Fleet, beside: Sequence[ServedEndpoint]) -> dict[str, int]:
    """Ports of the current champions by family, and of the servers beside them."""
    return fleet.champions | {one.name: one.port for one in beside}


def _close(fleet: Fleet, beside: Sequence[ServedEndpoint]) -> None:
    """Stop Envoy first, so that no request reaches a stopped server, then all others in parallel."""
    servers = [one.server for one in beside if one.server is not None]
    for server in servers:
        server.terminate()
    fleet.close()
    stop_all(servers)


def _announce(fleet: Fleet, watch: Watch, beside: Sequence[ServedEndpoint], settings: Settings) -> None:
    names = [*sorted(fleet.splits), *(one.name for one in beside if one.name not in watch.faults)]
    print(f"serving {', '.join(names) or 'nothing yet'} at {fleet.envoy.url}")
    print(f"  your own API key: {own.path(settings)}; create others with adloop key")
    print(
        f"  {fleet.envoy.url}/health/ready, /docs, /openapi.json; /metrics for keys with the scope metrics", flush=True
    )
    if settings.inference_keys == "off":
        print(f"  WARNING: {OPEN}", file=sys.stderr, flush=True)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Lock the home and check the port. Raises `CannotStart`."""
    with ExitStack() as held:
        try:
            held.enter_context(_lock(settings).acquire(timeout=2))
        except Timeout:
            raise CannotStart(f"adloop serve already runs on the home {settings.home}") from None
        try:
            free(settings.host, settings.port)
        except OSError as taken:
            place = f"{settings.host}:{settings.port}"
            raise CannotStart(f"{place}: {taken.strerror}; set another with ADLOOP_HOST and ADLOOP_PORT") from taken
        for left in _folder(settings).glob("*.json"):
            left.unlink()
        yield


class Served:
    """A `Traffic` that sends requests to the running `adloop serve` through files in its home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._seen: dict[str, Any] = {}

    def url(self, family: str) -> str:
        """The address of `adloop serve`."""
        return f"http://{self.settings.host}:{self.settings.port}"

    def split(self, family: str, split: Split) -> None:
        asked = uuid.uuid4().hex
        _write(_folder(self.settings) / f"{family}.ask.json", {"id": asked, "split": split.model_dump()})
        done = self._wait(_folder(self.settings) / f"{family}.done.json", asked)
        if done["version"] is not None:
            raise CannotServe(done["version"], done["error"])
        if done["error"] is not None:
            raise CannotFetch(done["error"])
        self._seen = done

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        versions = {int(port): version for port, version in self._seen["versions"].items()}
        return envoy_attempts.read(Path(self._seen["attempts"]), family, since, versions)

    def close(self) -> None:
        """Does nothing, as nothing was started."""

    def _wait(self, path: Path, asked: str) -> dict[str, Any]:
        deadline = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline and running(self.settings):
            done = json.loads(path.read_bytes()) if path.exists() else {}
            if done.get("id") == asked:
                return dict(done)
            time.sleep(0.05)
        raise NotServing("adloop serve ended or did not apply the traffic split: run the release again")


def _answer(fleet: Fleet, watch: Watch, settings: Settings) -> None:
    """Apply the splits requested since the last poll, and write the results."""
    for ask in sorted(_folder(settings).glob("*.ask.json")):
        asked = json.loads(ask.read_bytes())
        family = ask.name.removesuffix(".ask.json")
        done: dict[str, Any] = {"id": asked["id"], "error": None, "version": None}
        try:
            fleet.split(family, Split.model_validate(asked["split"]))
            watch.taken(family)
        except CannotServe as cannot:
            done |= {"error": cannot.reason, "version": cannot.version}
        except CannotFetch as cannot:
            done |= {"error": str(cannot)}
        except EnvoyFailed as failed:
            if fleet.envoy.process.alive:
                raise
            log.error("%s: the requested split is pending: %s", family, failed)
            return  # retried once Envoy runs again
        ask.unlink()
        done |= {"versions": fleet.versions(), "attempts": str(fleet.envoy.attempts)}
        _write(_folder(settings) / f"{family}.done.json", done)


def _write(path: Path, value: dict[str, Any]) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(value))
    new.replace(path)


def _folder(settings: Settings) -> Path:
    folder = settings.home / "rollout" / "serve"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _lock(settings: Settings) -> FileLock:
    return FileLock(_folder(settings) / "lock")
