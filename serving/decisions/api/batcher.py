"""Groups requests: what arrives while one group is worked on is the next, so load makes larger groups by itself."""

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

#: Items of one group at most; and those that may wait, beyond which more are turned away.
GROUP, WAITING = 1000, 20_000
#: A group of so many items, after one that took so long at most, is worked on in the event loop itself: handing it to a
#: thread and back costs as much as deciding it. All others would keep the loop from answering, and go to a thread.
SMALL, QUICK_S = 64, 0.02


class Overloaded(RuntimeError):
    """More waits than could be worked off in a while."""


class _Job(Generic[Item, Answer]):
    __slots__ = ("answers", "fault", "future", "items")

    def __init__(self, items: Sequence[Item], future: "asyncio.Future[Sequence[Answer]]") -> None:
        self.items, self.future = items, future
        self.answers: Sequence[Answer] = ()
        self.fault: Exception | None = None


class Batcher(Generic[Item, Answer]):
    """Asked from one event loop. Groups are worked on one after another.

    Args:
        work: an answer for each item of a group, in their order; called by one thread at a time.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._work = work
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._waiting, self._at_work, self._quick = 0, False, False
        self._thread, self.alive = ThreadPoolExecutor(1, name), True

    async def ask(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Their answers. Raises `Overloaded`, and what `work` raises of these items alone."""
        if self._waiting > WAITING or not self.alive:
            raise Overloaded(f"{self._waiting} wait already")
        loop = asyncio.get_running_loop()
        job: _Job[Item, Answer] = _Job(items, loop.create_future())
        self._waiting += len(items)
        self._jobs.append(job)
        if not self._at_work:
            self._at_work = True
            loop.call_soon(self._next, loop)  # after whatever else has arrived by now
        try:
            return await job.future
        finally:
            self._waiting -= len(items)

    def close(self) -> None:
        """Finish the group at work and end."""
        self.alive = False
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
        """The jobs that wait, as far as they fit; one at least."""
        group = [self._jobs.popleft()]
        count = len(group[0].items)
        while self._jobs and count + len(self._jobs[0].items) <= GROUP:
            group.append(self._jobs.popleft())
            count += len(group[-1].items)
        return group

    def _timed(self, group: list[_Job[Item, Answer]]) -> None:
        begun = perf_counter()
        self._do(group)
        self._quick = perf_counter() - begun <= QUICK_S

    def _do(self, group: list[_Job[Item, Answer]]) -> None:
        items = [item for job in group for item in job.items]
        try:
            answers = self._work(items)
        except Exception as broken:
            if len(group) > 1:  # whoever broke it must not break those beside it
                for job in group:
                    self._do([job])
                return
            log.exception("a group of %d broke", len(items))
            group[0].fault = broken
            return
        start = 0
        for job in group:
            job.answers = answers[start : start + len(job.items)]
            start += len(job.items)

    def _deliver(self, group: list[_Job[Item, Answer]], loop: asyncio.AbstractEventLoop) -> None:
        for job in group:
            if job.future.done():  # its client is gone
                continue
            if job.fault is not None:
                job.future.set_exception(job.fault)
            else:
                job.future.set_result(job.answers)
        self._at_work = bool(self._jobs)
        if self._at_work:
            loop.call_soon(self._next, loop)
