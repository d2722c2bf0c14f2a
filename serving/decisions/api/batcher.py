"""One thread that works on groups: what comes while it works is the next group, so load makes larger ones by itself."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

log = logging.getLogger("adloop.decisions")

#: Items of one group at most; and those that may wait, beyond which more are turned away.
GROUP, WAITING = 1000, 20_000


class Overloaded(RuntimeError):
    """More waits than could be worked off in a while."""


class _Job(Generic[Item, Answer]):
    __slots__ = ("answers", "fault", "future", "items", "loop")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items, self.loop = items, asyncio.get_running_loop()
        self.future: asyncio.Future[Sequence[Answer]] = self.loop.create_future()
        self.answers: Sequence[Answer] = ()
        self.fault: Exception | None = None


class Batcher(Generic[Item, Answer]):
    """Asked from an event loop, which goes on meanwhile.

    Args:
        work: an answer for each item of a group, in their order.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._work = work
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._waiting = 0
        self._there, self._stop = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def ask(self, items: Sequence[Item]) -> Sequence[Answer]:
        """Their answers. Raises `Overloaded`, and what `work` raises of these items alone."""
        if self._waiting > WAITING or self._stop:
            raise Overloaded(f"{self._waiting} wait already")
        job: _Job[Item, Answer] = _Job(items)
        self._waiting += len(items)
        self._jobs.append(job)
        self._there.set()
        try:
            return await job.future
        finally:
            self._waiting -= len(items)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish what waits and end."""
        self._stop = True
        self._there.set()
        self._thread.join()

    def _run(self) -> None:
        while self._jobs or not self._stop:
            if not self._jobs:
                self._there.wait()
                self._there.clear()
                continue
            group = self._group()
            self._do(group)
            group[0].loop.call_soon_threadsafe(_deliver, group)

    def _group(self) -> list[_Job[Item, Answer]]:
        """The jobs that wait, as far as they fit; one at least."""
        group, count = [self._jobs.popleft()], 0
        count += len(group[0].items)
        while self._jobs and count + len(self._jobs[0].items) <= GROUP:
            group.append(self._jobs.popleft())
            count += len(group[-1].items)
        return group

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


def _deliver(group: list[_Job[Item, Answer]]) -> None:
    for job in group:
        if job.future.done():  # its client is gone
            continue
        if job.fault is not None:
            job.future.set_exception(job.fault)
        else:
            job.future.set_result(job.answers)
