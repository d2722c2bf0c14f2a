"""Adaptive batching: items that arrive while a batch is processed form the next one, so batches grow with load.

Work that waits for a server may overlap: while batches are small, the next one begins before the last one is answered,
so that no item waits for the round trips of others. Under load batches are large, and large ones in turn take least
processor time; then they follow each other.
"""

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
#: A batch of at most `SMALL` items runs in the event loop if the last one took at most `QUICK_S` and none overlap:
#: passing it to a thread and back costs as much as deciding it. Other batches would block the loop, and run in a
#: thread.
SMALL, QUICK_S = 64, 0.02
#: Size of the batch of the usual item up to which batches overlap, and how many items that mean remembers.
FEW, REMEMBERED = 6.0, 30
#: Seconds after which a batch that is not finished is taken to be stuck: longer than any store is waited for.
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
    """Processes items of one event loop in batches.

    Args:
        work: returns an answer for each item of a batch, in order.
        overlap: the most batches at a time, each in a thread of its own.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Item]], Sequence[Answer]], overlap: int = 1) -> None:
        self._work, self._overlap = work, overlap
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._begun: dict[int, float] = {}  # when each batch at work began
        self._waiting, self._usual, self._called, self._quick = 0, 0.0, False, False
        self._threads, self._closed = ThreadPoolExecutor(overlap, name), False

    def fault(self) -> str | None:
        """Why nothing is processed; None while it is, or where nothing waits."""
        now = perf_counter()
        stuck_s = now - min(list(self._begun.values()), default=now)
        return (
            f"a batch is not finished after {stuck_s:.0f} s, {self._waiting} items wait" if stuck_s > STUCK_S else None
        )

    async def ask(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Return the answers to `items`. Raises `Overloaded`, or what `work` raises for these items alone."""
        if self._waiting > WAITING or self._closed:
            raise Overloaded(f"{self._waiting} items are waiting")
        loop = asyncio.get_running_loop()
        job: _Job[Item, Answer] = _Job(items, loop.create_future())
        self._waiting += len(items)
        self._jobs.append(job)
        self._call(loop)
        try:
            return await job.future
        finally:
            self._waiting -= len(items)

    def close(self) -> None:
        """Finish the current batches and stop."""
        self._closed = True
        self._threads.shutdown()

    @property
    def _most(self) -> int:
        """How many batches may be at work."""
        return self._overlap if self._usual <= FEW else 1

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the next batch soon, where there is one and it may: other requests arrive first."""
        if self._jobs and not self._called and len(self._begun) < self._most:
            self._called = True
            loop.call_soon(self._next, loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._group()
        size = sum(len(job.items) for job in group)
        self._usual += (size - self._usual) * size / (size + REMEMBERED)
        self._called, self._begun[id(group)] = False, perf_counter()
        if self._most == 1 and self._quick and size <= SMALL:
            self._timed(group)
            self._deliver(group, loop)
        else:
            done = self._threads.submit(self._timed, group)
            done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._deliver, group, loop))
            self._call(loop)

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
        del self._begun[id(group)]
        self._call(loop)
