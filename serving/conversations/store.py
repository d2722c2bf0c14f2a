"""Where conversations are kept: SQLite on one machine, Redis grown up. Each is written only if nobody else did."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol, cast

from features.redis_address import PATIENCE, Address
from features.settings import Settings

DAY = 86_400
#: Conversations that are kept by id, for people, summaries and corrections.
MOST = 100_000


class ConversationStore(Protocol):
    """Conversations as text: the current one by user, all by id."""

    def load(self, user: str) -> tuple[str | None, int]:
        """The current conversation of a user, None without one, and its version."""

    def save(self, user: str, text: str, version: int) -> bool:
        """Replace the current one of this version; False if it has another one now."""

    def keep(self, conversation: str, text: str, version: int) -> None:
        """Keep a conversation by its id, unless a later version of it is kept."""

    def kept(self, conversation: str) -> str | None:
        """A conversation by its id."""

    def every(self) -> Iterator[str]:
        """All that are kept by id, the oldest first."""


def store(settings: Settings, days: int) -> ConversationStore:
    """Redis where the settings name one, else SQLite under the home. What is silent for `days` is forgotten."""
    if settings.redis_url is not None:
        return RedisConversations(settings.redis_url, days)
    return SqliteConversations(settings.home / "conversations" / "conversations.db", days)


class SqliteConversations:
    """In one file, for one machine."""

    def __init__(self, path: Path, days: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path, self._kept_s = path, days * DAY
        with closing(self._open()) as db:
            db.execute("PRAGMA journal_mode = WAL")
            for table, key in (("open", "user"), ("kept", "id")):
                db.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} ({key} TEXT PRIMARY KEY, text TEXT, version INTEGER, at REAL)"
                )
                db.execute(f"CREATE INDEX IF NOT EXISTS {table}_at ON {table} (at)")

    def load(self, user: str) -> tuple[str | None, int]:
        with closing(self._open()) as db:
            found = db.execute(
                "SELECT text, version FROM open WHERE user = ? AND at > ?", (user, time.time() - self._kept_s)
            ).fetchone()
        return found or (None, 0)

    def save(self, user: str, text: str, version: int) -> bool:
        now = time.time()
        with closing(self._open()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM open WHERE at <= ?", (now - self._kept_s,))
            row = (user, text, version + 1, now)
            if version == 0:
                done = db.execute("INSERT OR IGNORE INTO open VALUES (?, ?, ?, ?)", row)
            else:
                done = db.execute(
                    "UPDATE open SET text = ?, version = ?, at = ? WHERE user = ? AND version = ?",
                    (text, version + 1, now, user, version),
                )
        return done.rowcount == 1

    def keep(self, conversation: str, text: str, version: int) -> None:
        now = time.time()
        with closing(self._open()) as db, db:
            db.execute(
                "INSERT INTO kept VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET text = excluded.text, version = excluded.version WHERE excluded.version >= version",
                (conversation, text, version, now),
            )
            db.execute("DELETE FROM kept WHERE at <= ?", (now - self._kept_s,))
            db.execute("DELETE FROM kept WHERE id IN (SELECT id FROM kept ORDER BY at DESC LIMIT -1 OFFSET ?)", (MOST,))

    def kept(self, conversation: str) -> str | None:
        with closing(self._open()) as db:
            found = db.execute("SELECT text FROM kept WHERE id = ?", (conversation,)).fetchone()
        return found[0] if found else None

    def every(self) -> Iterator[str]:
        with closing(self._open()) as db:
            yield from (text for (text,) in db.execute("SELECT text FROM kept ORDER BY at, id"))

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        db.execute("PRAGMA synchronous = NORMAL")
        return db


#: KEYS: the conversation. ARGV: its version, the new text, seconds to keep it.
_SAVE = """
local now = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if now ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', now + 1, 'text', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""

#: KEYS: the conversation. ARGV: its version, its text, seconds to keep it.
_KEEP = """
if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') > tonumber(ARGV[1]) then return end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'text', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


class RedisConversations:
    """In Redis, for several servers."""

    def __init__(self, url: str, days: int) -> None:
        self._redis, self._kept_s = Address(url).client(decode_responses=True, **PATIENCE), days * DAY
        self._save, self._keep = self._redis.register_script(_SAVE), self._redis.register_script(_KEEP)

    def load(self, user: str) -> tuple[str | None, int]:
        text, version = self._redis.hmget(_open_key(user), ["text", "version"])
        return cast("str | None", text), int(version or 0)

    def save(self, user: str, text: str, version: int) -> bool:
        return bool(self._save(keys=[_open_key(user)], args=[version, text, self._kept_s]))

    def keep(self, conversation: str, text: str, version: int) -> None:
        now = time.time()
        self._keep(keys=[_kept_key(conversation)], args=[version, text, self._kept_s])
        self._redis.zadd(_KEPT, {conversation: now}, nx=True)
        self._redis.zremrangebyscore(_KEPT, 0, now - self._kept_s)
        self._redis.zremrangebyrank(_KEPT, 0, -MOST - 1)

    def kept(self, conversation: str) -> str | None:
        return cast("str | None", self._redis.hget(_kept_key(conversation), "text"))

    def every(self) -> Iterator[str]:
        for conversation in self._redis.zrange(_KEPT, 0, -1):
            text = self.kept(conversation)
            if text is not None:
                yield text


_KEPT = "adloop:conversations:kept"


def _open_key(user: str) -> str:
    return f"adloop:conversations:open:{user}"


def _kept_key(conversation: str) -> str:
    return f"adloop:conversations:kept:{conversation}"
