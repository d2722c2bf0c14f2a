"""Child processes of a rollout: servers of models, decisions and texts, and Envoy. Each has a log and dies with its
parent."""

import http.client
import os
import random
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from features.settings import Settings
from models.keys import public_key
from serving.rollout import die_with_parent
from serving.rollout.forks import Forked
from serving.rollout.plan import CannotServe

#: Seconds a server may take to come up, or to respond again.
PATIENCE = 90.0
#: Seconds after which a server that responded is asked again.
ASK_S = 1.0
#: Where free ports are looked for. No system takes those of outgoing connections from here, as it might between the
#: search and the moment that a server listens, which comes seconds later.
PORTS = range(20_000, 32_768)


#: Waits for so many seconds; may raise to give up waiting.
Pause = Callable[[float], None]
#: A started process.
Child = subprocess.Popen[bytes] | Forked


class Process:
    """A child with its output in a file.

    Attributes:
        seen: when it began or was last known to respond, by the monotonic clock.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.log, self.seen = log, time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():  # of one that died: why is looked for there
            log.replace(log.with_name(f"{log.name}.before"))
        self._child = self._start(command, log, environment)

    def _start(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Child:
        bare = [sys.executable, "-I", "-S"]  # it needs no installed package, and is to take no time
        child = [*bare, str(Path(die_with_parent.__file__)), str(os.getpid()), *command]
        with log.open("wb") as output:
            return subprocess.Popen(child, stdout=output, stderr=output, env=dict(environment))

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        return self._child.pid

    def last_words(self) -> str:
        """The last line of its log, before what nanobind tells of its leaks when a process ends by an exception."""
        said = f"\n{self.log.read_text(errors='replace')}".partition("\nnanobind: ")[0]
        lines = [line for line in said.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit status {self._child.returncode}"

    def terminate(self) -> None:
        """Request a graceful stop."""
        if self.alive:
            self._child.terminate()

    def stop(self, patience: float = 15.0) -> None:
        """Stop it gracefully; kill it after `patience` seconds."""
        self.terminate()
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class ServerProcess(Process, ABC):
    """A child that answers once it is ready.

    Attributes:
        version: what it is called where it cannot be served.
    """

    version: str
    _answered = False

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""

    def up(self) -> bool:
        """Whether it responded within the last `ASK_S`. Raises `CannotServe` where it has not for `PATIENCE`, and with
        its last log line where its process died."""
        if not self.alive:
            raise CannotServe(self.version, f"its process died: {self.last_words()}")
        if self._answered and time.monotonic() < self.seen + ASK_S:
            return True
        self._answered = self.ready
        if self._answered:
            self.seen = time.monotonic()
            return True
        if time.monotonic() > self.seen + PATIENCE:
            raise CannotServe(self.version, f"no response for {PATIENCE:.0f} s")
        return False

    def wait_ready(self, pause: Pause = time.sleep) -> None:
        """Return once it responds. Raises as `up` and `pause`."""
        while not self.up():
            pause(0.05)


class ModelServer(ServerProcess):
    """`python -m serving.inference` for one version, on its own ports, forked.

    Args:
        module: what `python -m` runs.
    """

    def __init__(self, module: str, family: str, version: str, bundle: Path, log: Path, settings: Settings) -> None:
        self.version = version
        self.http_port, self.grpc_port = free_port(), free_port()
        arguments = ["--bundle", str(bundle), "--name", family, "--version", version]
        ports = ["--http-port", str(self.http_port), "--grpc-port", str(self.grpc_port)]
        super().__init__([module, *arguments, *ports], log, environment(settings))

    def _start(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Child:
        """Fork, because imports are most of its start."""
        try:
            return Forked(command[0], command[1:], log, environment)
        except ChildProcessError as gone:
            raise CannotServe(self.version, str(gone)) from gone

    def ports(self) -> dict[str, int]:
        """Port by protocol."""
        return {"rest": self.http_port, "grpc": self.grpc_port}

    @property
    def ready(self) -> bool:
        return bool(get(self.http_port, "/v2/health/ready")) and listens(self.grpc_port)


class DecisionServer(ServerProcess):
    """`python -m serving.decisions` on its own port; it follows the champions itself.

    Args:
        params: the `params.yaml` with the decision parameters.
        place: separate folder for state and log; None for that of the settings.
    """

    version = "decisions"

    def __init__(self, params: Path, port: int, log: Path, settings: Settings, place: Path | None = None) -> None:
        self.port = port
        command = [sys.executable, "-m", "serving.decisions", "--params", str(params), "--port", str(port)]
        command += [] if place is None else ["--place", str(place)]
        super().__init__(command, log, environment(settings))

    @property
    def ready(self) -> bool:
        """Whether it responds, healthy or not."""
        return bool(get(self.port, "/health/live"))


class TextServer(ServerProcess):
    """`python -m serving.texts` on its own port."""

    version = "texts"

    def __init__(self, port: int, log: Path, settings: Settings) -> None:
        self.port = port
        key = settings.drafter_key
        secret = {} if key is None else {"ADLOOP_DRAFTER_KEY": key.get_secret_value()}
        command = [sys.executable, "-m", "serving.texts", "--port", str(port)]
        super().__init__(command, log, environment(settings) | secret)

    @property
    def ready(self) -> bool:
        """Whether it responds."""
        return bool(get(self.port, "/health/live"))


def stop_all(processes: Iterable[Process]) -> None:
    """Stop them in parallel."""
    waiting = list(processes)
    for one in waiting:
        one.terminate()
    until = time.monotonic() + 15.0
    for one in waiting:
        one.stop(max(0.0, until - time.monotonic()))


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables of a server: the settings, with the public key in place of the signing key."""
    values = settings.model_dump(
        exclude={"signing_key", "verify_key", "api_key", "drafter_key", "home"}, exclude_none=True
    )
    verify = public_key(settings).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    ours = {"ADLOOP_HOME": str(settings.home.resolve()), "ADLOOP_VERIFY_KEY": verify}
    ours |= {f"ADLOOP_{name.upper()}": str(value) for name, value in values.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADLOOP_")}
    return {**kept, **ours}


def free_port() -> int:
    """A free port of this machine. Raises `OSError` where there is none."""
    first = random.SystemRandom().randrange(len(PORTS))
    for port in (*PORTS[first:], *PORTS[:first]):
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")


def get(port: int, path: str) -> str:
    """The body of a successful GET on this machine; empty where there is none."""
    status, body = fetch(port, path)
    return body if status == 200 else ""


def fetch(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on this machine; status 0 without a response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def free(host: str, port: int) -> None:
    """Raises `OSError` where the address is taken or not of this machine."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignore connections in TIME_WAIT
        probe.bind(address)
        probe.listen(1)


def listens(port: int) -> bool:
    """Whether the port accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
