"""Copies finished parts to S3, for machines that are replaced, and for retention beyond the home."""

import logging
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from features import lake
from features.records import DECISIONS, EVENTS, FEEDBACK, LOG, OUTCOMES, REQUESTS, SUFFIX
from features.settings import Settings

log = logging.getLogger("adloop.records")

#: Seconds between checks for new parts.
EVERY_S = 30.0
#: Folders with records, and the parameters that replays need.
_FOLDERS = (f"{DECISIONS}/{LOG}", f"{DECISIONS}/{EVENTS}", f"{REQUESTS}/*", f"{OUTCOMES}/*")
_PARAMS = f"{DECISIONS}/{LOG}/params/*.json"


class Export:
    """A thread that copies finished parts to `settings.records_uri`; one process per home at a time.

    Copies stay when retention removes parts from the home. A merged part is copied beside its sources; readers
    recognize it by its place in the chain.
    """

    def __init__(self, settings: Settings, uri: str) -> None:
        self._settings, self._uri = settings, uri.rstrip("/")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Copy the rest and stop; waits a limited time for S3."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(EVERY_S)
            try:
                with FileLock(self._settings.home / ".export.lock").acquire(timeout=0):
                    copy(self._settings, self._uri)
            except Timeout:
                continue
            except Exception:  # the home has all parts, and the next try may succeed
                log.exception("parts could not be copied to %s; retrying", self._uri)


def copy(settings: Settings, uri: str) -> int:
    """Copy parts that are missing or smaller at the destination, and new events of `FEEDBACK` as parts of `EVENTS`;
    returns the number of parts. Raises errors of S3."""
    there, count = lake.filesystem(uri, settings), 0
    try:
        found = {path: about["size"] for path, about in there.find(uri, detail=True).items()}
    except FileNotFoundError:
        found = {}
    for file in _files(settings.home):
        target = f"{uri}/{file.relative_to(settings.home)}"
        if found.get(target.removeprefix("s3://")) != file.stat().st_size:
            there.put_file(str(file), target)
            count += 1
    return count + _events(settings.home / DECISIONS / FEEDBACK, there, f"{uri}/{DECISIONS}/{EVENTS}", found)


def _events(kept: Path, there: Any, folder: str, found: Iterable[str]) -> int:
    """Copy the events since the last copy, whose name has the end of its period."""
    if not kept.is_file():
        return 0
    last = max((int(name[1]) for path in found if (name := _COPY.search(path))), default=0)
    count = 0
    with closing(sqlite3.connect(f"{kept.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        while rows := db.execute(_TOLD, [last, EVENTS_AT_ONCE]).fetchall():
            last, events = rows[-1][-1], [dict(zip(_EVENT, row, strict=True)) for row in rows]
            entries = [orjson.dumps({"event": event}).decode() for event in events]
            with there.open(f"{folder}/{FEEDBACK}-{last}{SUFFIX}", "wb") as part:
                pq.write_table(pa.table({"logged_at": [one["told"] / 1e9 for one in events], "entry": entries}), part)
            count += 1
    return count


#: Most events per copy.
EVENTS_AT_ONCE = 100_000
_COPY = re.compile(rf"/{EVENTS}/{re.escape(FEEDBACK)}-(\d+){re.escape(SUFFIX)}$")
_EVENT = ("account_id", "event_id", "decision_id", "kind", "occurred_at", "cost", "value", "told")
_TOLD = """
SELECT account, event, decision, kind, at, cost, value, told FROM event WHERE told > ? ORDER BY told LIMIT ?
"""


def _files(home: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from sorted(home.glob(f"{folder}/*{SUFFIX}"))
    yield from sorted(home.glob(_PARAMS))
