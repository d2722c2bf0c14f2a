"""`adloop serve` when what it started dies, its place is taken, a bundle is damaged, and when it is to stop."""

import shutil
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
import pytest

from features.settings import Settings
from models.registry import Registry
from serving.access import own
from serving.rollout.processes import free_port
from tests.toyland import local

ROOT = Path(__file__).parents[2]
ROW = {"recency": 0.3, "orders": 2, "member": True, "plan": "gold"}


@dataclass
class Serving:
    """A running `adloop serve`, with the probe released and decisions beside it."""

    process: "subprocess.Popen[str]"
    log: Path
    port: int
    given: dict[str, str]

    def predict(self) -> int:
        with_row = {"instances": [ROW]}
        url = f"http://127.0.0.1:{self.port}/v1/models/probe:predict"
        try:
            return local.post(url, json=with_row, headers=self.given, timeout=30).status_code
        except httpx.HTTPError:
            return 0

    def decides(self) -> int:
        try:
            return local.post(f"http://127.0.0.1:{self.port}/v1/decisions", json={}, timeout=30).status_code
        except httpx.HTTPError:
            return 0

    def health(self) -> dict[str, Any]:
        try:
            answer = local.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=30)
        except httpx.HTTPError:
            return {"ready": False, "faults": {"envoy": "away"}}
        return {**answer.json(), "status": answer.status_code}

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        return next(one for one in self.children() if any(word in part for part in one.cmdline()))


def wait(what: Callable[[], Any], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.3)


@contextmanager
def started(home: Path, port: int, *more: str) -> Iterator[Serving]:
    log = home.parent / f"serve-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "tests.integration.probe_serve", str(home), str(port), *more]
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        yield Serving(process, log, port, own.header(Settings(home=home)))
    finally:
        process.kill()
        process.wait()


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


@pytest.fixture(scope="module")
def home(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With version 1 of the probe as its champion."""
    home = shutil.copytree(released_home, tmp_path_factory.mktemp("serve") / "home")
    Registry(Settings(home=home)).download("probe", "1")
    return home


def test_whatever_dies_is_started_again_told_and_counted_until_it_stops(home: Path) -> None:
    with started(home, free_port(), str(ROOT / "params.yaml")) as serving:
        assert serving.process.stdout is not None
        line = serving.process.stdout.readline()
        assert line == f"serving probe, decisions, texts at http://127.0.0.1:{serving.port}\n"
        kinds = {"envoy": "bootstrap.json", "probe": "--bundle", "decisions": "serving.decisions"}
        kinds["texts"] = "serving.texts"
        for name, word in kinds.items():
            serving.child(word).kill()
            wait(lambda name=name: serving.health().get("failures", {}).get(name))
            wait(lambda name=name: name not in serving.health()["faults"])
            assert (serving.predict(), serving.decides()) == (200, 401), name
            assert f"{name} does not respond: its process died" in serving.log.read_text()
            assert f"{name} responds again" in serving.log.read_text()
        assert serving.health()["failures"] == dict.fromkeys(kinds, 1)

        before = serving.children()
        second = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "serve"],
            cwd=ROOT,
            env={"PATH": "/usr/bin", "ADLOOP_HOME": str(home.parent / "other"), "ADLOOP_PORT": str(serving.port)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        refused = (
            f"Error: 127.0.0.1:{serving.port}: Address already in use; set another with ADLOOP_HOST and ADLOOP_PORT"
        )
        assert (second.returncode, second.stderr.strip()) == (1, refused)
        same = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "serve"],
            cwd=ROOT,
            env={"PATH": "/usr/bin", "ADLOOP_HOME": str(home), "ADLOOP_PORT": str(free_port())},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (same.returncode, same.stderr.count("\n")) == (1, 1)
        assert str(home) in same.stderr
        assert serving.children() == before and serving.predict() == 200
        stops_while_it_mends_and_is_busy(serving, "--bundle")


def test_a_port_that_another_took_while_envoy_was_away_ends_it(home: Path) -> None:
    import socket

    with started(home, free_port()) as serving, socket.socket() as other:
        assert serving.process.stdout is not None
        serving.process.stdout.readline()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        serving.child("bootstrap.json").kill()
        until = time.monotonic() + 5
        while True:
            try:
                other.bind(("127.0.0.1", serving.port))
                other.listen()
                break
            except OSError:
                assert time.monotonic() < until
        assert serving.process.wait(90) != 0
        assert "envoy does not respond" in serving.log.read_text()


@pytest.mark.parametrize("word", ["", "bootstrap.json", "--bundle"], ids=["imports", "envoy", "model"])
def test_it_stops_while_it_starts(home: Path, word: str) -> None:
    with started(home, free_port(), str(ROOT / "params.yaml")) as serving:
        wait(lambda: not word or any(word in part for one in serving.children() for part in one.cmdline()))
        time.sleep(0.5)  # this starts meanwhile
        children = serving.children()
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(30) in (0, -signal.SIGTERM)
        wait(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))


def test_a_damaged_bundle_is_left_out_by_name_and_comes_back_when_it_is_mended(home: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(home, tmp_path / "home")
    bundle = moved / "bundles" / "probe" / "1"
    weights = bundle / "model" / "probe.json"
    weights.write_bytes(weights.read_bytes().replace(b"1", b"2", 1))
    with started(moved, free_port(), str(ROOT / "params.yaml")) as serving:
        assert serving.process.stdout is not None
        assert serving.process.stdout.readline() == f"serving decisions, texts at http://127.0.0.1:{serving.port}\n"
        assert (serving.predict(), serving.decides()) == (404, 401)
        told = serving.health()["left_out"]["probe"]
        assert "model/probe.json" in told and f"remove {bundle}" in told
        assert told in serving.log.read_text()
        shutil.rmtree(bundle)
        wait(lambda: serving.predict() == 200)
        assert serving.health()["left_out"] == {}
        stops_while_it_mends_and_is_busy(serving, "bootstrap.json")
