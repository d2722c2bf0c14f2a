"""Runs a pipeline on this machine through `kfp.local`, with caching, one run per family at a time."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from features.settings import Settings

_REPOSITORY = Path(__file__).resolve().parents[1]
#: Code that is part of the cache key: these packages and the lock file of the libraries.
_CODE = ("features", "models", "components")


@dataclass(frozen=True)
class PipelineStep:
    """One step of a run. `result` is its output as a mapping, empty while it runs; `error` is set if it failed."""

    name: str
    state: Literal["running", "done", "cached", "failed"]
    seconds: float
    result: Mapping[str, Any]


@dataclass(frozen=True)
class RunResult:
    """A finished run: its steps in order; steps whose condition was false are missing."""

    steps: tuple[PipelineStep, ...]
    seconds: float
    log: Path

    def result(self, step: str) -> Mapping[str, Any] | None:
        """The output of `step`, or None if it did not run."""
        return next((done.result for done in self.steps if done.name == step), None)


class StepFailed(RuntimeError):
    """A step failed: names the step, its error and the log file."""

    def __init__(self, step: str, error: str, log: Path) -> None:
        super().__init__(f"{step} failed: {error}\n(log: {log})")
        self.step, self.error, self.log = step, error, log


def run(
    pipeline: str,
    family: str,
    arguments: Mapping[str, Any],
    settings: Settings,
    progress: Callable[[PipelineStep], None] = lambda step: None,
    threads: int | None = None,
) -> RunResult:
    """Run `pipeline` of `family` with `arguments` and return the output of each step.

    `pipeline` names a function that builds the pipeline of a family, such as `pipelines.training.training`. Its module,
    and kfp with it, is imported where it runs, not here.
    `progress` is called when a step starts and ends. `threads` is how many threads the steps' numerical libraries use
    (None: as in this process). Raises `StepFailed`.
    A second run of the same family waits for the first, and then uses its cached outputs.
    """
    runs = settings.home.resolve() / "runs"
    (runs / "logs").mkdir(parents=True, exist_ok=True)
    log = runs / "logs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{family}-{secrets.token_hex(3)}.log"
    task = {
        "pipeline": pipeline,
        "family": family,
        "arguments": dict(arguments),
        "runs": str(runs),
        "cache": str(runs / "cache" / _places_and_code(settings)),
        "log": str(log),
    }
    began = time.monotonic()
    steps = []
    for step in _events(task, settings, log, threads):
        progress(step)
        if step.state != "running":
            steps.append(step)
    for step in steps:
        if step.state == "failed":
            raise StepFailed(step.name, str(step.result["error"]), log)
    return RunResult(tuple(steps), time.monotonic() - began, log)


def _events(task: Mapping[str, Any], settings: Settings, log: Path, threads: int | None) -> Iterator[PipelineStep]:
    """Yield the steps that the run's process reports, one JSON line each."""
    with _process(settings, threads) as process:
        assert process.stdin and process.stdout  # noqa: S101  (both are pipes)
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            yield PipelineStep(**json.loads(line))
    if process.returncode:
        raise StepFailed("the pipeline", f"its process ended with code {process.returncode}", log)


@contextmanager
def _process(settings: Settings, threads: int | None) -> Iterator[subprocess.Popen[str]]:
    """A process of `pipelines.local_process`. It ends with all its steps when its standard input closes, so that
    nothing keeps running after this process is killed.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.local_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | _environment(settings) | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)}),
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    finally:
        for pipe in (process.stdin, process.stdout):
            pipe.close() if pipe else None
        process.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """`settings` as environment variables for the steps' processes."""
    given = {name: value for name, value in settings if value is not None}
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for name, v in given.items()}
    variables = {f"ADLOOP_{name.upper()}": value for name, value in plain.items()}
    path = [str(_REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return variables | {"ADLOOP_HOME": str(settings.home.resolve()), "PYTHONPATH": os.pathsep.join(path)}


def _places_and_code(settings: Settings) -> str:
    """Hash of the locations and the code: the part of the cache key besides a step's inputs."""
    digest = hashlib.sha256(settings.model_dump_json(exclude={"host", "port", "image", "detectors"}).encode())
    digest.update(str(settings.home.resolve()).encode())  # outputs are remembered by their absolute paths
    files = [path for floor in _CODE for path in sorted((_REPOSITORY / floor).rglob("*.py"))]
    lock = _REPOSITORY / "requirements.lock"
    for path in [*files, lock] if lock.exists() else files:
        digest.update(str(path.relative_to(_REPOSITORY)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
