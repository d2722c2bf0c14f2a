"""Servers for tests and benchmarks, each a process of its own on a free port of this machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

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


def weed() -> Path:
    """SeaweedFS's program, where it is installed."""
    return Path(shutil.which("weed") or Path(sys.executable).parent / "weed")


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """SeaweedFS as an S3 server, its keys in the environment as AWS's tools expect them."""
    import boto3

    ports = free_ports(8)
    roles = ["master", "volume", "filer", "s3"]
    options = [f"-{role}.port={port}" for role, port in zip(roles, ports[:4], strict=True)]
    options += [f"-{role}.port.grpc={port}" for role, port in zip(roles, ports[4:], strict=True)]
    options += ["-s3", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    keys = {"AWS_ACCESS_KEY_ID": "adloop", "AWS_SECRET_ACCESS_KEY": "adloop-secret", "AWS_DEFAULT_REGION": "us-east-1"}
    endpoint = f"http://127.0.0.1:{ports[3]}"
    with patch.dict(os.environ, keys):
        client = boto3.client("s3", endpoint_url=endpoint)
        server = Server(
            [str(weed()), "server", *options], ports[3], folder, lambda: client.create_bucket(Bucket="lake")
        )
        server.start()
        yield S3(endpoint, "lake", client)
        server.stop(signal.SIGKILL)  # it would take ten seconds to say goodbye, and leaves nothing that is kept
