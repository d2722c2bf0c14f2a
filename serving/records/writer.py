"""Writes a log: appends do not wait for the disk; a thread commits them in groups."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from serving.records.columns import LoggedRecord, row
from serving.records.segment import ChainSegment

log = logging.getLogger("adloop.records")

#: Seconds between groups, and waiting bytes that trigger one earlier.
EVERY, GROUP_BYTES = 0.05, 256 << 10
#: Most records per group, as larger ones would slow down the threads that answer requests.
GROUP = 250
#: Most bytes in memory while the disk fails.
LIMIT = 64 << 20

#: Seconds between retries after the disk failed.
RETRY = 0.25

#: Called with the records that are on disk, in order; may get some again after a kill, so it must be idempotent.
Listener = Callable[[Sequence[LoggedRecord]], None]


class LogUnavailable(RuntimeError):
    """The log accepts no more records, so that answers would go unrecorded."""


class RecordLog:
    """Appends records to one folder, from any number of threads; each process has its own instance and chain.

    Opening it recovers journals of killed writers. Close it after the last answer.

    Args:
        keep_s: seconds after which records are removed; None: never.
    """

    def __init__(
        self,
        place: Path,
        listener: Listener = lambda records: None,
        keep_s: float | None = None,
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self._listener = listener
        self._segment = ChainSegment(place, listener, keep_s)
        self._waiting, self._untold = deque[LoggedRecord](), list[LoggedRecord]()
        self._bytes = self._appended = self._committed = 0
        self._stop, self._urgent = False, threading.Event()
        self._fault: str | None = None
        self._stuck: str | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def write(self, *lines: bytes, sources: Sequence[Any] | None = None) -> None:
        """Append records, each a line of JSON; they are on disk shortly after.

        Args:
            sources: the dataclass that each line was made from: its columns are then made without parsing the line.

        Raises `LogUnavailable` where the disk has not kept up or the log is closed; do not act on an unrecorded answer.
        """
        given = sources or [None] * len(lines)
        records = [LoggedRecord(line, one, one and row(one)) for line, one in zip(lines, given, strict=True)]
        with self._lock:
            if self._stop or self._fault is not None or self._bytes > LIMIT:
                raise LogUnavailable(
                    "it is closed" if self._stop else self._fault or "too much is waiting for the disk"
                )
            self._waiting.extend(records)
            self._bytes += _size(records)
            self._appended += len(records)
        if self._bytes > GROUP_BYTES:
            self._urgent.set()

    def fault(self) -> str | None:
        """Why the disk fails; None while it works. Waiting records are retried."""
        return self._fault or self._stuck

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until all appended records are on disk. Raises `LogUnavailable` after a timeout."""
        self._urgent.set()
        with self._changed:
            upto = self._appended
            if not self._changed.wait_for(lambda: self._committed >= upto, timeout_s):
                raise LogUnavailable(f"records are not on disk after {timeout_s:g} s")

    def close(self) -> None:
        """Write the rest and end the chain. Raises `LogUnavailable` where that fails."""
        with self._lock:
            if self._stop:
                return
            self._stop = True
        self._urgent.set()
        self._thread.join()
        self._segment.close()
        if self._waiting or self._untold:
            lost, kept = len(self._waiting), len(self._untold)
            raise LogUnavailable(f"{lost} records could not be written, {kept} written ones could not be handed on")

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._urgent.wait(EVERY)
            self._urgent.clear()
            stopping = self._stop
            self._fault = self._failing(self._commit_all, self._fault)
            if self._fault is None:  # while no new journal can be created, the old one continues
                self._stuck = self._failing(self._rotate, self._stuck)
            if self._fault or self._stuck:
                time.sleep(RETRY)
            self._tell()

    def _failing(self, write: Callable[[], None], before: str | None) -> str | None:
        """Record a failure of the disk; waiting records are kept and retried, as a full disk may get room."""
        try:
            write()
        except Exception as fault:
            if before is None:
                log.exception("%d records wait for the disk", len(self._waiting))
            return f"records cannot be written: {fault}; make room or repair the disk"
        return None

    def _rotate(self) -> None:
        if self._segment.due:
            self._segment.rotate()

    def _commit_all(self) -> None:
        """Commit what is waiting now. What comes meanwhile has its turn after the listener and the next journal, which
        would wait for as long as records come."""
        upto = self._appended
        while self._committed < upto:
            self._commit()

    def _commit(self) -> None:
        with self._lock:
            group = list(islice(self._waiting, GROUP))
        self._segment.commit(group)
        self._untold.extend(group)
        with self._changed:
            for _ in group:
                self._waiting.popleft()
            self._committed += len(group)
            self._changed.notify_all()

    def _tell(self) -> None:
        """Hand on records that are on disk; failed ones count as waiting."""
        if not self._untold:
            return
        try:
            self._listener(self._untold)
        except Exception:
            log.exception("%d records could not be handed on", len(self._untold))
            return
        with self._lock:
            self._bytes -= _size(self._untold)
        self._untold = []


def _size(records: Sequence[LoggedRecord]) -> int:
    return sum(len(one.line) for one in records)
