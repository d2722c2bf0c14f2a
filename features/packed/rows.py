"""Where packed rows are kept: a table of one SQLite file, or hashes in Redis, one an entity with a field a view."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

#: Entities of one round trip when rows are written or removed.
CHUNK = 1000


class Rows(Protocol):
    """Packed rows by project (one published snapshot), entity and view."""

    def write(self, project: str, view: str, rows: Mapping[str, bytes]) -> None: ...

    def read(self, project: str, entities: Sequence[str]) -> list[Mapping[str, bytes]]:
        """What each entity has, by view; empty for one that is not known."""

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

    def read(self, project: str, entities: Sequence[str]) -> list[Mapping[str, bytes]]:
        if self._db is None:
            self._db = self._connect("ro")
        asked = "SELECT view, value FROM packed WHERE project = ? AND entity = ?"
        return [dict(self._db.execute(asked, (project, entity)).fetchall()) for entity in entities]

    def drop(self, project: str, views: Sequence[str]) -> None:
        with closing(self._connect("rw")) as db, db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'packed'").fetchone():
                db.executemany("DELETE FROM packed WHERE project = ? AND view = ?", [(project, one) for one in views])

    def _connect(self, mode: str) -> sqlite3.Connection:
        # Opened by one thread and read by another; never by two at once.
        return sqlite3.connect(f"file:{self._path}?mode={mode}", uri=True, timeout=30, check_same_thread=False)


class RedisRows:
    """Rows in Redis."""

    def __init__(self, url: str) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # One retry at once finds a server that was started again; its client would wait for one that is away.
        patience: dict[str, Any] = {"socket_connect_timeout": 0.25, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)}
        # Used by one thread at a time: taking a connection from a pool would cost as much as the question.
        self._client: Any = redis.Redis.from_url(url, single_connection_client=True, **patience)

    def write(self, project: str, view: str, rows: Mapping[str, bytes]) -> None:
        pairs = list(rows.items())
        for start in range(0, len(pairs), CHUNK):
            pipeline = self._client.pipeline(transaction=False)
            for entity, row in pairs[start : start + CHUNK]:
                pipeline.hset(f"{project}:{entity}", view, row)
            pipeline.execute()

    def read(self, project: str, entities: Sequence[str]) -> list[Mapping[str, bytes]]:
        if len(entities) == 1:
            return [_named(self._client.hgetall(f"{project}:{entities[0]}"))]
        pipeline = self._client.pipeline(transaction=False)
        for entity in entities:
            pipeline.hgetall(f"{project}:{entity}")
        return [_named(found) for found in pipeline.execute()]

    def drop(self, project: str, views: Sequence[str]) -> None:
        keys: list[bytes] = []
        for key in self._client.scan_iter(f"{project}:*", count=CHUNK):
            keys.append(key)
            if len(keys) == CHUNK:
                self._remove(keys, views)
                keys = []
        self._remove(keys, views)

    def _remove(self, keys: list[bytes], views: Sequence[str]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.hdel(key, *views)
        pipeline.execute()


def rows_at(place: str) -> SqliteRows | RedisRows:
    """The rows at a `redis://` address, or in the SQLite file of this path."""
    return RedisRows(place) if place.startswith(("redis://", "rediss://")) else SqliteRows(place)


def _named(found: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): row for name, row in found.items()}
