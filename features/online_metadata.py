"""Location of the online store, and adloop's metadata in it: the served snapshots and their Feast registries.

A reader therefore needs only the online store.
"""

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from features.redis_address import Address
from features.settings import Settings


class OnlineMetadata(Protocol):
    """Records by key in the online store.

    Attributes:
        place: path of the SQLite file, or address of Redis.
        faults: exceptions of an unreachable store.
    """

    place: str
    faults: tuple[type[Exception], ...]

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, value: bytes) -> None: ...

    def drop(self, key: str) -> None: ...

    def lock(self) -> AbstractContextManager[Any]:
        """Lock for writers; creates the store where there is none."""


def online_metadata(settings: Settings) -> OnlineMetadata:
    """The online store of the settings."""
    return (
        SqliteMetadata(settings.home / "online.db") if settings.redis_url is None else RedisMetadata(settings.redis_url)
    )


class SqliteMetadata:
    """Features in one SQLite file."""

    faults: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self.place = str(self._path)

    def get(self, key: str) -> bytes | None:
        if not self._path.is_file():
            return None
        with closing(self._connect("ro")) as db:
            found = db.execute("SELECT value FROM adloop WHERE key = ?", [key]).fetchone()
        return found[0] if found else None

    def put(self, key: str, value: bytes) -> None:
        with closing(self._connect("rw")) as db, db:
            db.execute("INSERT OR REPLACE INTO adloop VALUES (?, ?)", [key, value])

    def drop(self, key: str) -> None:
        with closing(self._connect("rw")) as db, db:
            db.execute("DELETE FROM adloop WHERE key = ?", [key])

    def lock(self) -> AbstractContextManager[Any]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect("rwc")) as db:
            db.execute("PRAGMA journal_mode = WAL")  # persistent; readers and a writer do not block each other
            db.execute("CREATE TABLE IF NOT EXISTS adloop (key TEXT PRIMARY KEY, value BLOB)")
        return FileLock(self._path.with_suffix(".lock"))

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.as_uri()}?mode={mode}", uri=True, timeout=30)


class RedisMetadata:
    """Features in Redis."""

    def __init__(self, url: str) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # One immediate retry finds a restarted server; more would wait for one that is down.
        patience: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 5, "retry": Retry(NoBackoff(), 1)}
        self._client: Any = None
        self._address, self._patience = Address(url), patience
        self.faults: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self.place = url

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self._opened().get(f"adloop:{key}")
        return found

    def put(self, key: str, value: bytes) -> None:
        self._opened().set(f"adloop:{key}", value)

    def drop(self, key: str) -> None:
        self._opened().delete(f"adloop:{key}")

    def lock(self) -> AbstractContextManager[Any]:
        held: AbstractContextManager[Any] = self._opened().lock("adloop:lock", timeout=600)
        return held

    def _opened(self) -> Any:
        """The client, created lazily: a cluster's client connects at creation."""
        if self._client is None:
            self._client = self._address.client(**self._patience)
        return self._client
