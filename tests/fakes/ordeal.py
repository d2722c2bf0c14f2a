"""Many writes while answers are lost, the platform throttles and the writer is killed with SIGKILL, at random points.

With the ledger, and by a plain loop that notes what was answered and sends again what was not.
"""

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from serving.integrations import catalog
from serving.integrations.apply import apply
from serving.integrations.change import OPEN, Change
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Platform, Throttled, Unanswered
from tests.fakes import catalog as fakes
from tests.fakes.fake import Running, connected_to
from tests.fakes.faults import ScriptedFault

#: Most changes of a call, so that there are enough calls to lose.
BATCH = 20
#: How often a plain loop sends a change.
TRIES = 10
#: Lost answers and throttles of a thousand writes.
FAULTS = 60


class SkippedTime:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def time(self) -> float:
        return time.time() + self._skipped

    def sleep(self, seconds: float, /) -> None:
        self._skipped += seconds


@dataclass(frozen=True)
class Survived:
    """What is at the platform afterwards."""

    doubled: int
    lost: int
    kills: int

    @property
    def wrong(self) -> int:
        return self.doubled + self.lost


def survive(name: str, home: Path, writes: int, kills: int, seed: int, ledger: bool = True) -> Survived:
    """Write to a fresh fake; then count what is there twice, and what is not there."""
    rng = np.random.default_rng(seed)
    with connected_to(fakes.fake(name)) as fake:
        changes = fake.fake.creations(writes)
        home.mkdir(parents=True, exist_ok=True)
        if ledger:
            kept = WriteLedger(home / "ledger.db")
            kept.intend(changes, 0.0)
            kept.close()
        _script(fake, writes, rng)
        done = _killed_again_and_again(name, home, writes, kills, rng, ledger)
        return _count(fake, changes, done)


def _script(fake: Running, writes: int, rng: np.random.Generator) -> None:
    """Faults at random calls: half of them among the first, since a call may hold many writes."""
    count = max(2, FAULTS * writes // 1000)
    places = np.concatenate([rng.integers(0, max(2, writes // BATCH), count // 2), rng.integers(0, writes, count // 2)])
    pattern = fake.fake.throttled.call
    for place in sorted(set(places.tolist())):
        kind = rng.choice(["before", "after", "throttled"])
        lost = ScriptedFault(pattern, after=int(place), lost=kind)
        fake.script.add(replace(fake.fake.throttled, after=int(place)) if kind == "throttled" else lost)


def _killed_again_and_again(
    name: str, home: Path, writes: int, kills: int, rng: np.random.Generator, ledger: bool
) -> int:
    """Run the writer until it is done; so many times it is killed at a random point. Returns the number of kills."""
    context, done = multiprocessing.get_context("spawn"), 0
    while True:
        begun = context.Event()
        writer = context.Process(target=_by_ledger if ledger else _by_loop, args=(name, home, writes, begun))
        writer.start()
        begun.wait(60)
        if done < kills:
            time.sleep(float(rng.uniform(0.0, 0.15)))
            writer.kill()
        writer.join()
        if writer.exitcode == 0:
            return done
        done += writer.exitcode == -9
        if writer.exitcode not in (0, -9):
            raise RuntimeError(f"{name}: the writer ended with {writer.exitcode}")


def _by_ledger(name: str, home: Path, _: int, begun: Event) -> None:
    platform, ledger = catalog.platform(name), WriteLedger(home / "ledger.db")
    platform.batch = min(platform.batch, BATCH)
    begun.set()
    while ledger.of(platform.name, platform.account, *OPEN):
        with suppress(Unanswered):  # many in a row: begin again
            apply(platform, ledger, clock=SkippedTime(), patience_s=1e9)


def _by_loop(name: str, home: Path, writes: int, begun: Event) -> None:
    """Send each change until it is answered, and note that it was."""
    platform, noted = catalog.platform(name), home / "answered.jsonl"
    answered = {json.loads(line) for line in noted.read_text().splitlines()} if noted.exists() else set()
    begun.set()
    for change in fakes.fake(name).creations(writes):
        if change.change_id not in answered:
            _until_answered(platform, change)
            with noted.open("a") as file:
                file.write(json.dumps(change.change_id) + "\n")


def _until_answered(platform: Platform, change: Change) -> None:
    """Send the change again and again. A refusal of its name as taken, which tells nothing, ends it too."""
    for _ in range(TRIES):
        with suppress(Unanswered, Throttled):
            [outcome] = platform.send([change])
            if outcome.wait_s is None and not outcome.unknown:
                return


def _count(fake: Running, changes: Sequence[Change], kills: int) -> Survived:
    there = Counter(fake.state.markers())
    times = [there[change.marker] for change in changes]
    return Survived(sum(one - 1 for one in times if one > 1), times.count(0), kills)
