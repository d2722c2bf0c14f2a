"""`adloop serve` when its place is taken, and when it is to stop while it starts."""

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
from tests.integration.serving_process import MODELS_ALONE, started, wait


@pytest.fixture(scope="module")
def home(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With version 1 of the probe as its champion."""
    home = shutil.copytree(released_home, tmp_path_factory.mktemp("serve") / "home")
    Registry(Settings(home=home)).download("probe", "1")
    return home


def test_a_port_that_another_took_while_envoy_was_away_ends_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free_port())
    with started(settings, MODELS_ALONE) as serving, socket.socket() as other:
        assert serving.line() == f"serving nothing yet at {serving.url}\n"
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
    with started(Settings(home=home, port=free_port())) as serving:
        wait(lambda: not word or any(word in part for one in serving.children() for part in one.cmdline()))
        time.sleep(0.5)  # this starts meanwhile
        children = serving.children()
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(30) in (0, -signal.SIGTERM)
        wait(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))
