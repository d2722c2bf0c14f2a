"""`adloop serve`: the champions of all families behind one address, and the releases that are made meanwhile."""

import json
import logging
import os
import signal
import threading
import time
import uuid
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from filelock import FileLock, Timeout

from features.settings import Settings
from models import catalog
from models.registry import Registry
from serving.rollout import attempts, state
from serving.rollout.fleet import Fleet
from serving.rollout.plan import CannotServe, Split
from serving.rollout.processes import PATIENCE, DecisionServer, free_port

log = logging.getLogger("adloop.serve")

#: Seconds between looks at what is asked, and whether the champions live.
LOOK = 0.2


class NotServing(RuntimeError):
    """`adloop serve` ended while it was asked for something."""


def running(settings: Settings) -> bool:
    """Whether `adloop serve` runs on this home."""
    try:
        with _lock(settings).acquire(timeout=0):
            return False
    except Timeout:
        return True


def serve(settings: Settings, params: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises `Timeout` where another one serves this home already.

    Args:
        params: the `params.yaml` to decide by; None: no decisions are made.
    """
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    registry = Registry(settings)
    with _lock(settings).acquire(timeout=2):
        for left in _folder(settings).glob("*.json"):
            left.unlink()
        decisions = None if params is None else Decisions(params, settings)
        beside = {} if decisions is None else dict.fromkeys(Decisions.PATHS, decisions.port)
        fleet = Fleet(settings, settings.host, settings.port, registry.download, beside)
        try:
            for family in catalog.NAMES:
                _begin(fleet, family, settings, registry)
            served = fleet.families
            if decisions is not None:
                decisions.wait_ready()
                served = [*served, "decisions"]
            print(f"serving {', '.join(served) or 'nothing yet'} at {fleet.envoy.url}", flush=True)
            while not stop.wait(LOOK):
                _answer(fleet, settings)
                fleet.mend()
                if decisions is not None:
                    decisions.mend()
        finally:
            fleet.close()
            if decisions is not None:
                decisions.close()


class Decisions:
    """The decision endpoint beside the models, started again when it died."""

    PATHS: ClassVar = ("/v1/decisions", "/v1/feedback")

    def __init__(self, params: Path, settings: Settings) -> None:
        self._params, self._settings, self.port = params, settings, free_port()
        self._server = self._start()

    def mend(self) -> None:
        """Start it again where it has died."""
        if not self._server.alive:
            log.warning("the decision endpoint died: %s", self._server.last_words())
            self._server = self._start()

    def wait_ready(self) -> None:
        """Return once it answers. Raises `CannotServe`."""
        self._server.wait_ready()

    def close(self) -> None:
        self._server.stop()

    def _start(self) -> DecisionServer:
        written = self._settings.home / "rollout" / "decisions.log"
        return DecisionServer(self._params, self.port, written, self._settings)


class Served:
    """A `Traffic` that asks the running `adloop serve`, by files in its home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._seen: dict[str, Any] = {}

    def url(self, family: str) -> str:
        """Where `adloop serve` answers for all families."""
        return f"http://{self.settings.host}:{self.settings.port}"

    def split(self, family: str, split: Split) -> None:
        asked = uuid.uuid4().hex
        _write(_folder(self.settings) / f"{family}.ask.json", {"id": asked, "split": split.model_dump()})
        done = self._wait(_folder(self.settings) / f"{family}.done.json", asked)
        if done["error"] is not None:
            raise CannotServe(done["version"], done["error"])
        self._seen = done

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        versions = {int(port): version for port, version in self._seen["versions"].items()}
        return attempts.read(Path(self._seen["attempts"]), family, since, versions)

    def close(self) -> None:
        """Nothing was started, so nothing is stopped."""

    def _wait(self, path: Path, asked: str) -> dict[str, Any]:
        deadline = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline and running(self.settings):
            done = json.loads(path.read_bytes()) if path.exists() else {}
            if done.get("id") == asked:
                return dict(done)
            time.sleep(0.05)
        raise NotServing("adloop serve ended, or did not take the traffic asked for: run the release again")


def _begin(fleet: Fleet, family: str, settings: Settings, registry: Registry) -> None:
    """Bring a family to where it was left: in the middle of a course, or with its champion alone."""
    champion = registry.champion(family)
    if champion is None:
        return
    split = state.standing(settings.home, family, champion.version)
    try:
        fleet.split(family, split)
    except CannotServe as cannot:
        if cannot.version != split.canary:
            raise
        log.warning("%s: %s", family, cannot)
        fleet.split(family, Split(champion=split.champion))


def _answer(fleet: Fleet, settings: Settings) -> None:
    """Do what was asked since the last look, and say how it went."""
    for ask in sorted(_folder(settings).glob("*.ask.json")):
        asked = json.loads(ask.read_bytes())
        ask.unlink()
        family = ask.name.removesuffix(".ask.json")
        done: dict[str, Any] = {"id": asked["id"], "error": None, "version": None}
        try:
            fleet.split(family, Split.model_validate(asked["split"]))
        except CannotServe as cannot:
            done |= {"error": cannot.reason, "version": cannot.version}
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
