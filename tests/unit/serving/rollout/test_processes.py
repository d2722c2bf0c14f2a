"""What is told of a process that died or does not respond, and the ports that servers are given."""

import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from features.settings import Settings
from serving.rollout import processes
from serving.rollout.forks import PRELOAD
from serving.rollout.plan import CannotServe
from serving.rollout.processes import PORTS, ModelServer, Process, ServerProcess, free_port

LEAKS = """nanobind: leaked 2 functions!
 - leaked function "cursor"
nanobind: this is likely caused by a reference counting issue in the binding code.
See https://nanobind.readthedocs.io/en/latest/refleaks.html
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("starting\nOSError: address already in use\n", "OSError: address already in use"),
        (f"OSError: address already in use\n{LEAKS}", "OSError: address already in use"),
        (f"ValueError: no such family\n\n{LEAKS}", "ValueError: no such family"),
        ("", "exit status 3"),
        (LEAKS, "exit status 3"),
    ],
)
def test_its_last_words_are_the_error_and_not_what_a_library_says_of_its_end(
    tmp_path: Path, said: str, why: str
) -> None:
    command = [sys.executable, "-c", f"import sys; print({said!r}, end='', file=sys.stderr); sys.exit(3)"]
    process = Process(command, tmp_path / "log", os.environ)
    process._child.wait(20)
    assert process.last_words() == why


class Answering(ServerProcess):
    """A process that responds as it is told to."""

    version, ready = "7", False


def test_a_server_that_responded_has_its_patience_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One slow answer of a server that has run for long is no failed start."""
    monkeypatch.setattr(processes, "PATIENCE", 0.5)
    monkeypatch.setattr(processes, "ASK_S", 0.0)
    server = Answering([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log", os.environ)
    try:
        time.sleep(0.6)
        server.ready = True
        assert server.up()
        server.ready = False
        assert not server.up()
        time.sleep(0.6)
        with pytest.raises(CannotServe, match="no response for 0 s"):
            server.up()
    finally:
        server.stop()


def test_a_server_that_responded_is_not_asked_at_every_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Answering([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log", os.environ)
    try:
        assert not server.up()
        server.ready = True
        assert server.up()
        server.ready = False
        assert server.up()
        monkeypatch.setattr(processes, "ASK_S", 0.0)
        assert not server.up()
        server.ready = True
        assert server.up()
    finally:
        server.stop()
    with pytest.raises(CannotServe, match="its process died"):
        server.up()


@pytest.fixture
def dying_forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process that forks dies while it imports."""
    for child in psutil.Process().children():
        if "forks model servers" in " ".join(child.cmdline()):
            child.kill()
            while child.status() != psutil.STATUS_ZOMBIE:  # to be waited for by who started it
                time.sleep(0.01)
    (tmp_path / "dying.py").write_text("import os; os._exit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    multiprocessing.set_forkserver_preload(["dying"])
    yield
    multiprocessing.set_forkserver_preload([PRELOAD])


@pytest.mark.usefixtures("dying_forks")
def test_a_server_that_cannot_be_forked_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="the process that forks model servers died"):
        ModelServer("serving.inference", "churn", "1", tmp_path, tmp_path / "log", Settings(home=tmp_path))


def test_a_port_for_a_server_is_none_that_outgoing_connections_get() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as one:
        assert one.getsockname()[1] not in PORTS
    found = {free_port() for _ in range(20)}
    assert found <= set(PORTS) and len(found) > 15
    free, taken = sorted(found)[:2]
    with socket.create_server(("127.0.0.1", taken)), pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "PORTS", range(free, taken + 1, taken - free))
        assert {free_port() for _ in range(20)} == {free}
        patch.setattr(processes, "PORTS", range(taken, taken + 1))
        with pytest.raises(OSError, match=f"no port from {taken} to {taken} is free"):
            free_port()
