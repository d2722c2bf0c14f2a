"""`adloop serve` as a process, with the probe in the catalog, which is asked, watched and stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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


@contextmanager
def started(settings: Settings, *more: str) -> Iterator[Serving]:
    """Runs until the end of the context; `more` is the `params.yaml`, where decisions and texts are served too."""
    log = settings.home.parent / f"serve-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "tests.integration.probe_serve", str(settings.home), str(settings.port), *more]
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
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
        asking = [clients.submit(lambda: [serving.predict() for _ in range(200)]) for _ in range(2)]
        children = serving.children()
        serving.child(word).kill()
        time.sleep(0.3)  # it is being started again
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(30) == 0
        for one in asking:
            one.result()
        wait(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))
