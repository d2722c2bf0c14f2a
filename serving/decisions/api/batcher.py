"""Adaptive batching: items that arrive while a batch is processed form the next one, so batches grow with load."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

log = logging.getLogger("adloop.decisions")

#: Largest batch, and the number of waiting items beyond which new ones are refused.
GROUP, WAITING = 1000, 20_000
#: A batch of at most `SMALL` items runs in the event loop if the last one took at most `QUICK_S`: passing it to a
#: thread and back costs as much as deciding it. Other batches would block the loop, and run in a thread.
SMALL, QUICK_S = 64, 0.02
#: Rounds of the event loop between two batches. In the first, answers are written to their sockets; in the second,
#: requests that came meanwhile are read; in the third, they ask, and are in the next batch. Without them, answers and
#: new requests would wait for another batch.
ROUNDS = 3
#: Seconds without a finished batch after which the work is taken to be stuck: longer than any store is waited for.
STUCK_S = 60.0


class Overloaded(RuntimeError):
    """Too many items are waiting."""


class _Job(Generic[Item, Answer]):
    __slots__ = ("answers", "fault", "future", "items")

    def __init__(self, items: Sequence[Item], future: "asyncio.Future[Sequence[Answer]]") -> None:
        self.items, self.future = items, future
        self.answers: Sequence[Answer] = ()
        self.fault: Exception | None = None


class Batcher(Generic[Item, Answer]):
    """Processes items of one event loop in batches, one batch at a time.

    Args:
        work: returns an answer for each item of a batch, in order; called from one thread at a time.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._work = work
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._waiting, self._at_work, self._quick = 0, False, False
        self._progress = perf_counter()
        self._thread, self._closed = ThreadPoolExecutor(1, name), False

    def fault(self) -> str | None:
        """Why nothing is processed; None while it is, or where nothing waits."""
        stuck_s = perf_counter() - self._progress if self._at_work else 0.0
        return f"no batch was finished for {stuck_s:.0f} s, {self._waiting} items wait" if stuck_s > STUCK_S else None

    async def ask(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Return the answers to `items`. Raises `Overloaded`, or what `work` raises for these items alone."""
        if self._waiting > WAITING or self._closed:
            raise Overloaded(f"{self._waiting} items are waiting")
        loop = asyncio.get_running_loop()
        job: _Job[Item, Answer] = _Job(items, loop.create_future())
        self._waiting += len(items)
        self._jobs.append(job)
        if not self._at_work:
            self._at_work, self._progress = True, perf_counter()
            self._after(ROUNDS, loop)
        try:
            return await job.future
        finally:
            self._waiting -= len(items)

    def close(self) -> None:
        """Finish the current batch and stop."""
        self._closed = True
        self._thread.shutdown()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._group()
        if self._quick and sum(len(job.items) for job in group) <= SMALL:
            self._timed(group)
            self._deliver(group, loop)
        else:
            done = self._thread.submit(self._timed, group)
            done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._deliver, group, loop))

    def _group(self) -> list[_Job[Item, Answer]]:
        """Take waiting jobs up to the batch size, at least one."""
        group = [self._jobs.popleft()]
        count = len(group[0].items)
        while self._jobs and count + len(self._jobs[0].items) <= GROUP:
            group.append(self._jobs.popleft())
            count += len(group[-1].items)
        return group

    def _timed(self, group: list[_Job[Item, Answer]]) -> None:
        started = perf_counter()
        self._do(group)
        self._quick = perf_counter() - started <= QUICK_S

    def _do(self, group: list[_Job[Item, Answer]]) -> None:
        items = [item for job in group for item in job.items]
        try:
            answers = self._work(items)
        except Exception as broken:
            if len(group) > 1:  # an item that fails must not fail the others
                for job in group:
                    self._do([job])
                return
            log.exception("a batch of %d failed", len(items))
            group[0].fault = broken
            return
        start = 0
        for job in group:
            job.answers = answers[start : start + len(job.items)]
            start += len(job.items)

    def _deliver(self, group: list[_Job[Item, Answer]], loop: asyncio.AbstractEventLoop) -> None:
        for job in group:
            if job.future.done():  # the client disconnected
                continue
            if job.fault is not None:
                job.future.set_exception(job.fault)
            else:
                job.future.set_result(job.answers)
        self._at_work, self._progress = bool(self._jobs), perf_counter()
        if self._at_work:
            self._after(ROUNDS, loop)

    def _after(self, rounds: int, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the next batch after this many rounds of the event loop."""
        if rounds:
            loop.call_soon(self._after, rounds - 1, loop)
        else:
            self._next(loop)
