"""Releases over a real Envoy, real servers and the real registry: what is worse goes back, and no client notices."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from components.release import step
from features.settings import Settings
from models.bundle import BundleTampered
from models.registry import Registry
from pipelines.explained import one_line
from serving.access import own
from serving.released import state
from serving.released.state import ReleaseState
from serving.rollout import serve
from serving.rollout.fleet import Fleet
from serving.rollout.processes import free_port
from tests.integration import probe
from tests.integration.conftest import PLAN
from tests.integration.serving_process import MODELS_ALONE, started
from tests.toyland import local

ROW = {"recency": 0.3, "orders": 2, "member": True, "plan": "gold"}


@dataclass(frozen=True)
class World:
    """A home with version 1 of the probe released."""

    settings: Settings
    folder: Path

    @property
    def registry(self) -> Registry:
        return Registry(self.settings)

    def register(self, model: probe.Probe) -> str:
        return probe.register(model, self.settings, Path(self.folder / f"trained-{time.monotonic_ns()}"))

    def release(self, version: str) -> step.Released:
        return step.release("probe", version, PLAN, self.settings, replay=True)

    def champion(self) -> str:
        found = self.registry.champion("probe")
        assert found is not None
        return found.version


@pytest.fixture(scope="module", autouse=True)
def _probe() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fleet, "module", probe.SERVER)
        probe.install()
        yield
        probe.remove()


def _world(released_home: Path, folder: Path) -> World:
    return World(Settings(home=shutil.copytree(released_home, folder / "home"), port=free_port()), folder)


@pytest.fixture(scope="module")
def alone(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Where a release starts all servers itself."""
    return _world(released_home, tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def world(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Where `server` answers."""
    return _world(released_home, tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[subprocess.Popen[str]]:
    """`adloop serve` on `world`; every release of that changes its traffic."""
    with started(world.settings, MODELS_ALONE) as serving:
        assert "probe" in serving.line()
        yield serving.process


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (probe.Probe(fails=True), "errors"),
        (probe.Probe(refuses=True), "errors"),
        (probe.Probe(sleep_s=0.8), "latency"),
        (probe.Probe(sleep_s=4.0), "errors"),
        (probe.Probe(dies_at=5), "errors"),
        (probe.Probe(shift=2.5), "answers"),
        (probe.Probe(weight=-1.0), "auc"),
    ],
    ids=["errors", "refuses", "slow", "hangs", "crashes", "shifted", "worse"],
)
def test_a_worse_canary_goes_back_and_no_client_notices(
    world: World, server: subprocess.Popen[str], model: probe.Probe, reason: str
) -> None:
    champion = world.champion()
    assert serve.running(world.settings) and _answering(world.settings) == champion
    version = world.register(model)
    done = world.release(version)
    assert done.outcome == "rolled_back", done
    assert reason in done.reason
    assert done.requests > 0
    assert done.client_failures == 0
    assert world.champion() == champion
    assert world.registry.version("probe", version).status == "rejected"
    assert state.load(world.settings.home, "probe") == ReleaseState(champion=champion)
    assert world.release(version).outcome == "unchanged"
    assert _answering(world.settings) == champion


def test_an_equal_canary_becomes_champion_of_a_running_serve_and_is_started_again_where_it_dies(
    world: World, server: subprocess.Popen[str]
) -> None:
    """It reads a feature more than the champion."""
    version = world.register(probe.Probe(weight=1.1, also="visits"))
    done = world.release(version)
    assert done.outcome == "released", done.reason
    assert [one["weight"] for one in done.course] == PLAN["steps"]
    assert all(one["canary"]["requests"] >= PLAN["min_requests"] for one in done.course)
    assert all("auc" in one and one["shift"] < 0.3 for one in done.course)
    assert done.client_failures == 0
    assert world.champion() == _answering(world.settings, visits=0.3) == version
    assert world.release(version).outcome == "unchanged"

    dead = next(
        one for one in psutil.Process(server.pid).children(recursive=True) if f"--version {version}" in _command(one)
    )
    dead.kill()
    _wait(lambda: _answering(world.settings, visits=0.3) == version)


def test_a_version_that_reads_a_feature_less_is_released_over_one_that_reads_it_and_can_be_rolled_back(
    world: World, server: subprocess.Popen[str]
) -> None:
    wide, narrow = world.champion(), world.register(probe.Probe(weight=1.16))
    done = world.release(narrow)
    assert (done.outcome, done.client_failures) == ("released", 0), done.reason
    assert world.champion() == _answering(world.settings) == narrow
    assert step.rollback("probe", world.settings) == wide
    assert world.champion() == _answering(world.settings, visits=0.3) == wide
    with pytest.raises(LookupError, match="no earlier champion"):
        step.rollback("probe", world.settings)


def test_a_tampered_canary_is_never_sent_a_request(world: World, server: subprocess.Popen[str]) -> None:
    champion, version = world.champion(), world.register(probe.Probe(weight=1.05))
    bundle = world.registry.download("probe", version)
    (bundle / "model" / "probe.json").write_text(json.dumps({"weight": 5.0}))
    done = world.release(version)
    assert done.outcome == "rolled_back"
    assert "probe.json" in done.reason
    assert (world.champion(), done.client_failures) == (champion, 0)


def test_serve_stops_with_all_it_started(world: World, server: subprocess.Popen[str]) -> None:
    children = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    _wait(lambda: not any(_lives(child) for child in children))
    assert children and not serve.running(world.settings)


def test_a_worse_canary_goes_back_without_a_running_serve_too(alone: World) -> None:
    champion, version = alone.champion(), alone.register(probe.Probe(fails=True, weight=1.01))
    done = alone.release(version)
    assert (done.outcome, done.client_failures) == ("rolled_back", 0) and "errors" in done.reason
    assert done.requests > 0 and alone.champion() == champion
    assert alone.registry.version("probe", version).status == "rejected"


def test_a_killed_release_is_completed_by_the_next_and_leaves_no_process(alone: World) -> None:
    version = alone.register(probe.Probe(weight=1.2))
    command = [sys.executable, "-m", "tests.integration.probe_release", str(alone.settings.home), version]
    command.append(json.dumps(PLAN))
    for moment in (lambda course: course.weight == 30, lambda course: len(course.steps) == 1):
        killed = subprocess.Popen(command)
        _wait(lambda moment=moment: (course := state.load(alone.settings.home, "probe").course) and moment(course))
        children = psutil.Process(killed.pid).children(recursive=True)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        _wait(lambda children=children: not any(_lives(child) for child in children))
    judged = state.load(alone.settings.home, "probe").course
    assert judged is not None and judged.steps[0]["verdict"] == "go on"
    assert alone.champion() != version

    done = alone.release(version)
    assert (done.outcome, done.client_failures, len(done.course)) == ("released", 0, 2), done.reason
    assert alone.champion() == version
    assert state.load(alone.settings.home, "probe") == ReleaseState(champion=version)


def test_a_rollback_where_nothing_serves_verifies_what_it_returns_to(alone: World) -> None:
    taken_back, restored = alone.champion(), "1"
    changed = alone.registry.download("probe", restored) / "model" / "probe.json"
    told = changed.read_text()
    changed.write_text(json.dumps({"weight": 5.0}))
    with pytest.raises(BundleTampered, match=r"probe\.json; remove .*bundles/probe/1 to fetch it again") as refused:
        step.rollback("probe", alone.settings)
    assert one_line(refused.value) == str(refused.value)
    assert alone.champion() == taken_back
    changed.write_text(told)
    assert step.rollback("probe", alone.settings) == restored == alone.champion()
    assert alone.registry.version("probe", taken_back).status == "rejected"
    assert state.load(alone.settings.home, "probe") == ReleaseState(champion=restored)


def _answering(settings: Settings, **more: float) -> str | None:
    """The version that answers at the address of serve."""
    url = f"http://127.0.0.1:{settings.port}/v1/models/probe:predict"
    answer = local.post(url, json={"instances": [ROW | more]}, headers=own.header(settings), timeout=30)
    return answer.headers.get("x-model-version") if answer.status_code == 200 else None


def _command(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _wait(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
