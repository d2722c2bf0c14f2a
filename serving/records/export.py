"""Copies records to S3, for machines that are replaced, for other machines to read, and for retention beyond the home.

The copies are as the home is: finished parts, and the open journal of each writer as it was a few seconds ago.
"""

import logging
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from features import lake
from features.records import DECISIONS, EVENTS, FEEDBACK, LOG, OUTCOMES, REQUESTS, SUFFIX
from features.settings import Settings
from serving.records import journal

log = logging.getLogger("adloop.records")

#: Seconds between copies: so long a release on a cluster waits for what servers have just answered. Of new events in
#: `FEEDBACK`, whose copies are parts at once.
EVERY_S, EVENTS_S = 5.0, 30.0
#: Folders with records, and the parameters that replays need.
_FOLDERS = (f"{DECISIONS}/{LOG}", f"{DECISIONS}/{EVENTS}", f"{REQUESTS}/*", f"{OUTCOMES}/*")
_PARAMS = f"{DECISIONS}/{LOG}/params/*.json"
#: Tag of journals: their copy is replaced every few seconds, so a versioned bucket should forget earlier ones soon.
_OPEN = {"Tagging": "adloop=journal"}


class Export:
    """A thread that copies records to `settings.records_uri`; one process per home at a time.

    Copies stay when retention removes parts from the home. A merged part is copied beside its sources; readers
    recognize it by its place in the chain.
    """

    def __init__(self, settings: Settings, uri: str) -> None:
        self._settings, self._copies = settings, Copies(settings, uri)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Copy the rest and stop; waits a limited time for S3."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        stopping = failing = False
        told = time.monotonic()
        while not stopping:
            stopping = self._stop.wait(EVERY_S)
            try:
                with FileLock(self._settings.home / ".export.lock").acquire(timeout=0):
                    self._copies.update()
                    if stopping or time.monotonic() > told + EVENTS_S:
                        self._copies.add_events()
                        told = time.monotonic()
                failing = False
            except Timeout:
                continue
            except Exception:  # the home has all records, and the next try may succeed
                if not failing:
                    log.exception("records could not be copied to %s; retrying", self._copies.uri)
                failing = True


class Copies:
    """The copies of a home's records.

    Remembers what is there, so that a large store is not listed again: of each writer, its files are looked for once.
    """

    def __init__(self, settings: Settings, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._home, self._s3 = settings.home, lake.filesystem(uri, settings)
        self._sizes: dict[str, int] = {}  # of the copies, by their path below the home
        self._known = set[str]()  # beginnings of paths whose copies are in `_sizes`

    def update(self) -> int:
        """Copy what is missing or has grown; empty the copies of journals that became parts, as servers may not delete
        records. Returns the number of copied parts. Raises errors of S3."""
        # A journal that is not found any more has its part among those that are found next.
        journals = {self._name(file) for file in self._files(journal.SUFFIX)}
        parts = sum(self._copied(file) for file in (*self._files(SUFFIX), *sorted(self._home.glob(_PARAMS))))
        for name, size in list(self._sizes.items()):
            if name.endswith(journal.SUFFIX) and size and name not in journals:
                self._s3.pipe_file(f"{self.uri}/{name}", b"", **_OPEN)
                self._sizes[name] = 0
        for name in journals:
            with suppress(FileNotFoundError):  # it has just become a part
                self._copied(self._home / name)
        return parts

    def add_events(self) -> int:
        """Copy new events of `FEEDBACK` as parts of `EVENTS`, whose names have the end of their period. Returns the
        number of parts. Raises errors of S3."""
        kept, folder, count = self._home / DECISIONS / FEEDBACK, f"{DECISIONS}/{EVENTS}", 0
        if not kept.is_file():
            return 0
        last = max(
            (int(name[1]) for path, _ in self._found(folder, FEEDBACK) if (name := _COPY.search(path))), default=0
        )
        with closing(sqlite3.connect(f"{kept.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            while rows := db.execute(_TOLD, [last, EVENTS_AT_ONCE]).fetchall():
                last, events = rows[-1][-1], [dict(zip(_EVENT, row, strict=True)) for row in rows]
                entries = [orjson.dumps({"event": event}).decode() for event in events]
                with self._s3.open(f"{self.uri}/{folder}/{FEEDBACK}-{last}{SUFFIX}", "wb") as part:
                    pq.write_table(
                        pa.table({"logged_at": [one["told"] / 1e9 for one in events], "entry": entries}), part
                    )
                count += 1
        return count

    def _copied(self, file: Path) -> bool:
        """Copy a file, unless its copy has its size. Returns whether it was copied."""
        name, size = self._name(file), file.stat().st_size
        if name not in self._sizes:
            self._look(name)
        if self._sizes.get(name) == size:
            return False
        self._s3.put_file(str(file), f"{self.uri}/{name}", **(_OPEN if file.suffix == journal.SUFFIX else {}))
        self._sizes[name] = size
        return True

    def _look(self, name: str) -> None:
        """Find the copies of the same writer, whose names begin alike."""
        folder, _, own = name.rpartition("/")
        beginning = own.rpartition("-")[0]
        if f"{folder}/{beginning}" not in self._known:
            self._sizes |= {
                f"{folder}/{path.rpartition('/')[2]}": about["size"] for path, about in self._found(folder, beginning)
            }
            self._known.add(f"{folder}/{beginning}")

    def _found(self, folder: str, beginning: str) -> list[tuple[str, Any]]:
        try:
            return list(self._s3.find(f"{self.uri}/{folder}", prefix=beginning, detail=True).items())
        except FileNotFoundError:
            return []

    def _files(self, suffix: str) -> Iterator[Path]:
        for folder in _FOLDERS:
            yield from sorted(self._home.glob(f"{folder}/*{suffix}"))

    def _name(self, file: Path) -> str:
        return file.relative_to(self._home).as_posix()


#: Most events per copy.
EVENTS_AT_ONCE = 100_000
_COPY = re.compile(rf"/{re.escape(FEEDBACK)}-(\d+){re.escape(SUFFIX)}$")
_EVENT = ("account_id", "event_id", "decision_id", "kind", "occurred_at", "cost", "value", "told")
_TOLD = """
SELECT account, event, decision, kind, at, cost, value, told FROM event WHERE told > ? ORDER BY told LIMIT ?
"""
