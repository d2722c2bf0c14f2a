"""Storage of packed rows: a table in SQLite, or one Redis hash per entity with a field per view."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Protocol
from urllib.parse import quote

from features.redis_address import Address, is_redis

#: Entities per round trip to a store.
CHUNK = 1000


class Rows(Protocol):
    """Packed rows by project (one published snapshot), entity and view."""

    def write(self, project: str, view: str, rows: Mapping[str, bytes]) -> None: ...

    def ask(self, project: str, entities: Sequence[str]) -> Callable[[], list[Mapping[str, bytes]]]:
        """Ask now; the function that is returned waits for the rows of each entity by view, empty for unknown ones."""

    def drop(self, project: str, views: Sequence[str]) -> None: ...


class SqliteRows:
    """Rows in a file that exists. Used by one thread at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def write(self, project: str, view: str, rows: Mapping[str, bytes]) -> None:
        with closing(self._connect("rw")) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS packed (project TEXT, entity TEXT, view TEXT, value BLOB, "
                "PRIMARY KEY (project, entity, view)) WITHOUT ROWID"
            )
            values = [(project, entity, view, row) for entity, row in rows.items()]
            db.executemany("INSERT OR REPLACE INTO packed VALUES (?, ?, ?, ?)", values)

    def ask(self, project: str, entities: Sequence[str]) -> Callable[[], list[Mapping[str, bytes]]]:
        return partial(self._read, project, entities)

    def _read(self, project: str, entities: Sequence[str]) -> list[Mapping[str, bytes]]:
        if self._db is None:
            self._db = self._connect("ro")
        found: dict[str, dict[str, bytes]] = {entity: {} for entity in entities}
        distinct = list(found)
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            marks = ", ".join("?" * len(chunk))
            asked = f"SELECT entity, view, value FROM packed WHERE project = ? AND entity IN ({marks})"
            for entity, view, value in self._db.execute(asked, (project, *chunk)):
                found[entity][view] = value
        return [found[entity] for entity in entities]

    def drop(self, project: str, views: Sequence[str]) -> None:
        with closing(self._connect("rw")) as db, db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'packed'").fetchone():
                db.executemany("DELETE FROM packed WHERE project = ? AND view = ?", [(project, one) for one in views])

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Opened by one thread and read by another; never by two at once.
        return sqlite3.connect(f"file:{quote(self._path)}?mode={mode}", uri=True, timeout=30, check_same_thread=False)


class RedisRows:
    """Rows in Redis."""

    def __init__(self, url: str) -> None:
        from features.redis_pipeline import redis_pipeline

        self._url, self._trips = url, redis_pipeline(url, text=False)

    def write(self, project: str, view: str, rows: Mapping[str, bytes]) -> None:
        pairs = list(rows.items())
        for start in range(0, len(pairs), CHUNK):
            chunk = pairs[start : start + CHUNK]
            self._trips.ask([("HSET", f"{project}:{entity}", view, row) for entity, row in chunk])

    def ask(self, project: str, entities: Sequence[str]) -> Callable[[], list[Mapping[str, bytes]]]:
        return partial(_rows, self._trips.send([("HGETALL", f"{project}:{entity}") for entity in entities]))

    def drop(self, project: str, views: Sequence[str]) -> None:
        client = Address(self._url).client()
        for key in client.scan_iter(match=f"{project}:*", count=CHUNK):
            self._trips.ask([("HDEL", key, *views)])


def _rows(answers: Callable[[], list[Sequence[bytes]]]) -> list[Mapping[str, bytes]]:
    return [{name.decode(): row for name, row in zip(one[::2], one[1::2], strict=True)} for one in answers()]


def rows_at(place: str) -> SqliteRows | RedisRows:
    """The rows at a Redis address, or in the SQLite file at this path."""
    return RedisRows(place) if is_redis(place) else SqliteRows(place)
