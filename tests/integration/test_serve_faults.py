"""`adloop serve` when its place is taken, a bundle is damaged, and when it is to stop while it starts."""

import shutil
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from features.settings import Settings
from models.registry import Registry
from serving.rollout.processes import free_port
from tests.integration.serving_process import ROOT, started, stops_while_it_mends_and_is_busy, wait


@pytest.fixture(scope="module")
def home(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With version 1 of the probe as its champion."""
    home = shutil.copytree(released_home, tmp_path_factory.mktemp("serve") / "home")
    Registry(Settings(home=home)).download("probe", "1")
    return home


def test_a_port_that_another_took_while_envoy_was_away_ends_it(home: Path) -> None:
    with started(Settings(home=home, port=free_port())) as serving, socket.socket() as other:
        serving.line()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        serving.child("bootstrap.json").kill()
        until = time.monotonic() + 5
        while True:
            try:
                other.bind(("127.0.0.1", serving.settings.port))
                other.listen()
                break
            except OSError:
                assert time.monotonic() < until
        assert serving.process.wait(90) != 0
        assert "envoy does not respond" in serving.log.read_text()


@pytest.mark.parametrize("word", ["", "bootstrap.json", "--bundle"], ids=["imports", "envoy", "model"])
def test_it_stops_while_it_starts(home: Path, word: str) -> None:
    with started(Settings(home=home, port=free_port()), str(ROOT / "params.yaml")) as serving:
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
    with started(Settings(home=moved, port=free_port()), str(ROOT / "params.yaml")) as serving:
        assert serving.line() == f"serving decisions, texts at {serving.url}\n"
        assert (serving.predict(), serving.decides()) == (404, 401)
        told = serving.health()["left_out"]["probe"]
        assert "model/probe.json" in told and f"remove {bundle}" in told
        assert told in serving.log.read_text()
        shutil.rmtree(bundle)
        wait(lambda: serving.predict() == 200)
        assert serving.health()["left_out"] == {}
        stops_while_it_mends_and_is_busy(serving, "bootstrap.json")
