"""The whole loop in a new home, as a user runs it: how long, how long again, and how much memory any process took."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import psutil

from features.settings import Settings

AGAIN = 3


@dataclass(frozen=True)
class Measured:
    """Wall time in seconds, and the largest resident set of any one process of the tree, in bytes."""

    seconds: float
    peak: int


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Times the loop from nothing, then with nothing changed. The home it runs in is its own, not `settings.home`."""
    with TemporaryDirectory() as home:
        command = [sys.executable, "-m", "pipelines.cli", "run"]
        first = measure(command, Path(home))
        again = [measure(command, Path(home)) for _ in range(AGAIN)]
        summary = json.loads((Path(home) / "report" / "summary.json").read_text())
    lineage = {"data_hash": next(iter(summary["families"].values()))["data_hash"]}
    times = sorted(one.seconds for one in again)
    peak = max(one.peak for one in (first, *again)) / 2**20
    return [
        {"name": "run.seconds", "value": first.seconds, "goal": "<= 600", "unit": "s, one run in a new home"} | lineage,
        {
            "name": "run.again_seconds",
            "value": times[len(times) // 2],
            "low": times[0],
            "high": times[-1],
            "goal": "<= 60",
            "unit": f"s, nothing changed; median and range of {AGAIN}",
        }
        | lineage,
        {"name": "run.peak_rss_mb", "value": peak, "goal": "<= 4096", "unit": "MiB, largest process of all"} | lineage,
    ]


def measure(command: list[str], home: Path) -> Measured:
    """Run `command` with `ADLOOP_HOME=home`. Raises CalledProcessError with what it printed if it fails."""
    log = home.with_name(f"{home.name}.log")
    begun = monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | {"ADLOOP_HOME": str(home)})
        peak = 0
        while process.poll() is None:
            peak = max([peak, *map(_high_water, _tree(process.pid))])
            sleep(0.1)
    seconds, printed = monotonic() - begun, log.read_text()
    log.unlink()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, printed[-4000:])
    return Measured(seconds, peak)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:  # it ended between two looks
        return


def _high_water(pid: int) -> int:
    """The most a process ever held, as the kernel counts it: between two looks nothing is missed."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended between two looks
        return 0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) * 1024 for words in lines if words and words[0] == "VmHWM:"), 0)
