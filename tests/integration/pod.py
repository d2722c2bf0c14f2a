"""Starts the container of a pod as a process of this machine: its command, arguments, environment and mounts.

What a cluster gives is given as dictionaries: ConfigMaps and Secrets by name. Mounted folders and ports of the pod are
replaced by folders and free ports of this machine wherever the object names them; nothing else is added but what the
image and the service account bring along.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.rollout.processes import fetch
from tests.integration.conftest import free_ports

#: The image's own environment, `infra/images/Dockerfile`; nobody can write to this home, as in a read-only root.
IMAGE = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"], "HOME": "/proc/1/nowhere"}


@dataclass(frozen=True)
class Namespace:
    """What a pod finds in its namespace: `values[name][key]` of ConfigMaps and Secrets."""

    config: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, Mapping[str, str]]


class Pod:
    """The only container of a pod.

    Args:
        spec: of the pod.
        folder: where its volumes are made.
        extra: variables that the service account brings along.
        mounted: folders of this machine by mount path, which an init container filled.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        namespace: Namespace,
        folder: Path,
        extra: Mapping[str, str],
        mounted: Mapping[str, Path],
    ) -> None:
        (self.container,) = spec["containers"]
        self._grace = spec.get("terminationGracePeriodSeconds", 30)
        self._replaced = {path: str(there) for path, there in mounted.items()}
        for mount in self.container["volumeMounts"]:
            (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
            self._replaced[mount["mountPath"]] = str(_volume(volume, namespace, folder))
        declared = [str(one["containerPort"]) for one in self.container["ports"]]
        taken = [one for one in self.container["args"] if one.isdigit() and (one in declared or int(one) > 1023)]
        self.ports = dict(zip(taken, free_ports(len(taken)), strict=True))
        self._replaced |= {port: str(free) for port, free in self.ports.items()}
        self._environment = {**IMAGE, **extra, **_environment(self.container, namespace)}
        self._log = folder / "log"

    def start(self) -> None:
        command = [self._here(one) for one in (*self.container["command"], *self.container["args"])]
        assert command[0] == "python"
        environment = {name: self._here(value) for name, value in self._environment.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command[1:]], env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def started(self) -> bool:
        """Whether the startup probe succeeds in the time that the object gives it."""
        probe = self.container["startupProbe"]
        until = time.monotonic() + probe["failureThreshold"] * probe["periodSeconds"]
        while time.monotonic() < until and self.process.poll() is None:
            if self.answers("startupProbe"):
                return True
            time.sleep(0.2)
        return False

    def answers(self, probe: str) -> bool:
        """Whether a probe succeeds."""
        asked = self.container[probe]["httpGet"]
        return fetch(self.port(asked["port"]), asked["path"])[0] == 200

    def port(self, declared: int) -> int:
        """The port of this machine for one of the container."""
        return self.ports[str(declared)]

    def stop(self) -> None:
        """End it as a node does, and check that it ends by itself in time."""
        self.process.terminate()
        self.process.wait(self._grace)

    def kill(self) -> None:
        """End it at once, with all that it started, as a container ends."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _here(self, said: str) -> str:
        """A text of the object with its path or port on this machine."""
        for inside, here in self._replaced.items():
            if said == inside or (inside.startswith("/") and said.startswith(f"{inside}/")):
                return here + said.removeprefix(inside)
        return said


@contextmanager
def running(pod: Pod) -> Iterator[Pod]:
    """A pod that is up."""
    pod.start()
    try:
        assert pod.started(), pod.log
        yield pod
    finally:
        pod.kill()


def _volume(volume: Mapping[str, Any], namespace: Namespace, folder: Path) -> Path:
    place = folder / volume["name"]
    place.mkdir()
    if "secret" in volume or "configMap" in volume:
        secret = volume.get("secret")
        values = namespace.secrets[secret["secretName"]] if secret else namespace.config[volume["configMap"]["name"]]
        for name, value in values.items():
            (place / name).write_text(value)
        return place
    assert {"emptyDir", "ephemeral"} & set(volume), volume
    return place


def _environment(container: Mapping[str, Any], namespace: Namespace) -> dict[str, str]:
    """The variables as the kubelet sets them. A missing Secret or ConfigMap is an error, unless it is optional."""
    found: dict[str, str] = {}
    for one in container.get("envFrom", ()):
        kind, about = next(iter(one.items()))
        values = namespace.config if kind == "configMapRef" else namespace.secrets
        found |= values.get(about["name"], {}) if about.get("optional") else values[about["name"]]
    for one in container["env"]:
        if "value" in one:
            found[one["name"]] = one["value"]
        else:
            reference = one["valueFrom"]["secretKeyRef"]
            found[one["name"]] = namespace.secrets[reference["name"]][reference["key"]]
    return found
