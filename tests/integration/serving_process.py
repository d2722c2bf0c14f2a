"""`adloop serve` as a process, which is asked, watched and stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from features.settings import Settings
from serving.access import own
from tests.toyland import local

ROOT = Path(__file__).parents[2]
ROW = {"recency": 0.3, "orders": 2, "member": True, "plan": "gold"}


@dataclass(frozen=True)
class Serving:
    """A running `adloop serve`; its output is in `process.stdout`, its errors in `log`."""

    process: "subprocess.Popen[str]"
    log: Path
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def predict(self) -> int:
        given = own.header(self.settings)
        try:
            path = f"{self.url}/v1/models/probe:predict"
            return local.post(path, json={"instances": [ROW]}, headers=given, timeout=30).status_code
        except httpx.HTTPError:
            return 0

    def decides(self) -> int:
        try:
            return local.post(f"{self.url}/v1/decisions", json={}, timeout=30).status_code
        except httpx.HTTPError:
            return 0

    def health(self) -> dict[str, Any]:
        try:
            answer = local.get(f"{self.url}/health/ready", timeout=30)
        except httpx.HTTPError:
            return {"ready": False, "faults": {"envoy": "away"}}
        return {**answer.json(), "status": answer.status_code}

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        return next(one for one in self.children() if any(word in part for part in one.cmdline()))


#: `python -m` runs it: `adloop serve` as users start it, with decisions and texts.
COMMAND = ("pipelines.cli", "serve")
#: The same with the probe in the catalog; and without decisions and texts.
WITH_PROBE = ("tests.integration.probe_serve", str(ROOT / "params.yaml"))
MODELS_ALONE = WITH_PROBE[:1]


@contextmanager
def started(settings: Settings, command: Sequence[str] = WITH_PROBE) -> Iterator[Serving]:
    """Runs until the end of the context, and was started by somebody who lets others read what is written."""
    log = settings.home.parent / f"serve-{time.monotonic_ns()}.log"
    given = {**os.environ, "ADLOOP_HOME": str(settings.home), "ADLOOP_PORT": str(settings.port)}
    run = [sys.executable, "-m", *command]
    with log.open("w") as errors:
        process = subprocess.Popen(run, cwd=ROOT, env=given, stdout=subprocess.PIPE, stderr=errors, text=True, umask=0)
    try:
        yield Serving(process, log, settings)
    finally:
        process.kill()
        process.wait()


def wait(what: Callable[[], Any], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.3)


def stops_while_it_mends_and_is_busy(serving: Serving, word: str) -> None:
    """It ends with all its children, though it just starts one again, and though clients ask."""
    with ThreadPoolExecutor(2) as clients:
        asking = [
            clients.submit(lambda ask=ask: [ask() for _ in range(200)]) for ask in (serving.predict, serving.decides)
        ]
        children = serving.children()
        serving.child(word).kill()
        time.sleep(0.3)  # it is being started again
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(30) == 0
        for one in asking:
            one.result()
        wait(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))
