"""The open end of a chain: a journal that grows by groups, and becomes a part at a certain size or age."""

import fcntl
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.records import journal, parts, recovery
from serving.records.chain import genesis, links
from serving.records.columns import LoggedRecord, Row, batch
from serving.records.journal import Journal
from serving.records.parts import Head
from serving.records.tidy import tidy

log = logging.getLogger("adloop.records")

#: Bytes and seconds after which a journal becomes a part.
PART_BYTES, PART_S = 64 << 20, 30.0
#: Seconds between checks for parts to merge and remove.
TIDY_S = 600.0
#: Records converted to columns at once.
BATCH = 250


@dataclass(frozen=True)
class _Whole:
    """A finished journal, with the columns of its records; without them, they are read again."""

    journal: Journal
    batches: list[Any]
    closed: bool

    def finish(self, place: Path) -> None:
        """Write its part and delete the journal, which stays if this fails."""
        one = self.journal
        if one.end > one.first and not self.batches:
            content = journal.read(one.path)
            if content is not None:
                self.batches.append(batch(content.chain, content.first, content.written, content.hashes))
        if self.batches or one.first:
            parts.write(place, Head(one.chain, one.first, one.previous, self.closed), self.batches)
        one.remove()


class ChainSegment:
    """The open end of a new chain. For one thread; another thread writes the parts and tidies the folder.

    Args:
        keep_s: seconds after which parts are removed; None: never.
    """

    def __init__(
        self, place: Path, recovered: Callable[[Sequence[LoggedRecord]], None], keep_s: float | None = None
    ) -> None:
        self._place, self._keep_s, self._tidied = place, keep_s, float("-inf")
        chain = f"{time.time_ns() // 1_000_000:013d}-{uuid.uuid4().hex[:12]}"
        with (place / ".lock").open("w") as lock:  # keeps the journal from looking abandoned before its writer locks it
            fcntl.flock(lock, fcntl.LOCK_EX)
            recovery.recover(place, recovered)
            self._journal = Journal(place, chain, 0, genesis(chain))
        self._parts = ThreadPoolExecutor(1, "record-parts", initializer=_give_way)
        self._left: list[_Whole] = []  # finished journals without a part
        self._begin(self._journal)

    def commit(self, records: Sequence[LoggedRecord]) -> None:
        """Write a group to disk, whole or not at all. Raises `OSError` where the disk fails."""
        written = [one.line for one in records]
        hashes = links(self._journal.head, written)
        self._journal.commit(written, hashes)
        self._loose.extend(zip(written, hashes, (one.row for one in records), strict=True))
        self._bytes += sum(map(len, written))
        if len(self._loose) >= BATCH:
            self._bind()

    def _bind(self) -> None:
        """Convert new records to columns, once there are enough: small batches are slow."""
        if self._loose:
            first = self._journal.end - len(self._loose)
            written, hashes, rows = zip(*self._loose, strict=True)
            self._batches.append(batch(self._journal.chain, first, written, hashes, rows))
            self._loose.clear()

    @property
    def due(self) -> bool:
        """Whether the journal is due to become a part."""
        return self._bytes > PART_BYTES or (self._bytes > 0 and time.monotonic() - self._began > PART_S)

    def rotate(self) -> None:
        """Begin a new journal, and make a part of the old one. Raises `OSError` where it cannot be created."""
        self._bind()
        old = self._journal
        new = Journal(self._place, old.chain, old.end, old.head)
        self._parts.submit(self._finish, _Whole(old, self._batches, False))
        self._parts.submit(self._tidy)
        self._begin(new)

    def close(self) -> None:
        """End the chain. Its last part is written when this returns or, if the disk is full, by the next writer."""
        self._bind()
        self._parts.submit(self._finish, _Whole(self._journal, self._batches, True))
        self._parts.shutdown()
        for one in self._left:
            one.journal.close()  # the next writer makes its part

    def _tidy(self) -> None:
        if time.monotonic() > self._tidied + TIDY_S:
            self._tidied = time.monotonic()
            try:
                tidy(self._place, self._keep_s)
            except Exception:  # a full disk or a damaged part: the parts stay as they are
                log.exception("%s could not be tidied", self._place)

    def _finish(self, whole: "_Whole") -> None:
        """Make parts of a journal and of earlier failed ones. Failures are tried again with the next journal."""
        waiting, self._left = [*self._left, whole], []
        for one in waiting:
            try:
                one.finish(self._place)
            except Exception:
                one.batches.clear()  # the journal has all records
                self._left.append(one)
                log.exception("%s could not become a part yet", one.journal.path)

    def _begin(self, journal: Journal) -> None:
        self._journal, self._began = journal, time.monotonic()
        self._batches: list[Any] = []
        self._loose: list[tuple[bytes, bytes, Row | None]] = []
        self._bytes = 0


def _give_way() -> None:
    """Lower this thread's priority below those that answer requests."""
    if sys.platform == "linux":  # other systems only have priorities of processes
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
