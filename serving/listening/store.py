"""What was heard, in one SQLite file: it outlives restarts, and several processes may open it.

All of a batch is one transaction, with the position in its source: a kill loses the batch or nothing of it, and each
post is counted once however often it is told.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.listening.duplicates import alike, keys, pairs
from serving.listening.mentions import Mention
from serving.listening.sentiment import Sentiment
from serving.listening.watch import QUARTERS, quarter

DAY_S = 86_400.0
#: Days that a post is known to have been counted, and that its text is kept. Older posts are refused.
COUNTED_D, TEXTS_D = 400, 90
#: Copies of a text are of one voice if they come within so many days of each other, posts of an author within a day.
COPIES_D, AUTHOR_D = 14, 1
_COUNTS = ("mentions", "voices", "negative", "neutral", "positive", "unrated")
_TABLES = f"""
CREATE TABLE IF NOT EXISTS seen (id BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, at REAL NOT NULL, last_at REAL NOT NULL,
  copies INTEGER NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL, followers REAL);
CREATE INDEX IF NOT EXISTS texts_at ON texts (last_at);
CREATE TABLE IF NOT EXISTS pairs (hash INTEGER PRIMARY KEY, text INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pairs_text ON pairs (text);
CREATE TABLE IF NOT EXISTS authors (brand TEXT, author BLOB, label TEXT, at REAL NOT NULL,
  PRIMARY KEY (brand, author, label)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS voices (brand TEXT, at REAL, text INTEGER, label TEXT NOT NULL, score REAL NOT NULL,
  counted INTEGER NOT NULL, PRIMARY KEY (brand, at, text)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS voices_text ON voices (text, brand);
CREATE TABLE IF NOT EXISTS quarters (brand TEXT, quarter INTEGER,
  {", ".join(f"{name} INTEGER NOT NULL" for name in _COUNTS)},
  score REAL NOT NULL, PRIMARY KEY (brand, quarter)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS expected (brand TEXT, hour INTEGER, negative REAL NOT NULL, PRIMARY KEY (brand, hour))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watches (brand TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarms (brand TEXT, hour INTEGER, alarm TEXT NOT NULL, PRIMARY KEY (brand, hour))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
"""


class MentionsUnavailable(RuntimeError):
    """The file of what was heard cannot be read or written."""


class MentionStore:
    """The file, opened on first use. Threads take turns."""

    def __init__(self, path: Path) -> None:
        self._path, self._turn = path, threading.RLock()
        self._open: sqlite3.Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that excludes other writers. Raises `MentionsUnavailable`."""
        with self._turn, self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises `MentionsUnavailable`."""
        with self._turn, self._told():
            return self._db.execute(query, values).fetchall()

    def put(self, query: str, *values: Any) -> int:
        """Change something, in a transaction of `writing`. Returns the number of changed rows."""
        return self._db.execute(query, values).rowcount

    def close(self) -> None:
        with self._turn:
            if self._open is not None:
                self._open.close()
            self._open = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(_TABLES)
            self._open = db
        return self._open

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as fault:
            raise MentionsUnavailable(f"{self._path} does not answer: {fault}") from fault

    def is_new(self, mention: Mention) -> bool:
        """Whether the post was not counted before; from now on it is known."""
        return self.put("INSERT OR IGNORE INTO seen VALUES (?, ?)", mention.id, mention.at) == 1

    def text(self, mention: Mention) -> int:
        """The id of the mention's text: that of the text that it is a copy of, or its own."""
        of = pairs(mention.text)
        found = keys(of)
        marks = ", ".join("?" * len(found))
        near = self._db.execute(
            f"SELECT DISTINCT t.id, t.text FROM pairs JOIN texts t ON t.id = pairs.text WHERE hash IN ({marks})"  # noqa: S608
            " AND abs(t.last_at - ?) < ? ORDER BY t.id",
            [*found, mention.at, COPIES_D * DAY_S],
        )
        for place, text in near:
            if alike(of, pairs(text)):
                self.put(
                    "UPDATE texts SET copies = copies + 1, last_at = max(last_at, ?) WHERE id = ?", mention.at, place
                )
                return int(place)
        values = mention.at, mention.at, mention.text, mention.url, mention.source, mention.followers
        inserted = self._db.execute(
            "INSERT INTO texts (at, last_at, copies, text, url, source, followers) VALUES (?, ?, 1, ?, ?, ?, ?)", values
        ).lastrowid
        self._db.executemany("INSERT OR REPLACE INTO pairs VALUES (?, ?)", [(one, inserted) for one in found])
        return int(inserted or 0)

    def said(self, text: int, brand: str) -> bool:
        """Whether this text already has a sentiment about the brand, so that another copy is no further voice."""
        return bool(self.rows("SELECT 1 FROM voices WHERE text = ? AND brand = ? LIMIT 1", text, brand))

    def spoke(self, mention: Mention, brand: str, label: str) -> bool:
        """Whether the author already said so about the brand within a day; from now on it is known."""
        if mention.author is None:
            return False
        near = f"abs(at - ?) < {AUTHOR_D * DAY_S}"
        key = "brand = ? AND author = ? AND label = ?"
        values = brand, mention.author, label
        if self.rows(f"SELECT 1 FROM authors WHERE {key} AND {near}", *values, mention.at):  # noqa: S608
            return True
        self.put("INSERT OR REPLACE INTO authors VALUES (?, ?, ?, ?)", *values, mention.at)
        return False

    def count(
        self, mention: Mention, brand: str, text: int = 0, sentiment: Sentiment | None = None, voice: bool = False
    ) -> None:
        """Count a mention; with a sentiment its text's, and as a voice of its own if it is one."""
        hour, part = quarter(mention.at)
        counted = dict.fromkeys(_COUNTS, 0) | {"mentions": 1}
        if sentiment is not None:
            values = brand, mention.at, text, sentiment.label, sentiment.score, int(voice)
            self.put("INSERT OR REPLACE INTO voices VALUES (?, ?, ?, ?, ?, ?)", *values)
        if sentiment is not None and voice:
            counted |= {"voices": 1, sentiment.label: 1}
        score = sentiment.score if sentiment is not None and voice else 0.0
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in (*_COUNTS, "score"))
        marks = ", ".join("?" * (len(_COUNTS) + 3))
        self.put(
            f"INSERT INTO quarters VALUES ({marks}) ON CONFLICT DO UPDATE SET {added}",  # noqa: S608
            *(brand, hour * QUARTERS + part, *counted.values(), score),
        )

    def negative(self, brand: str, first: int, last: int) -> dict[int, list[int]]:
        """Negative voices by quarter of the hours from `first` to `last`; hours without any are left out."""
        found: dict[int, list[int]] = {}
        for at, count in self.rows(
            "SELECT quarter, negative FROM quarters WHERE brand = ? AND quarter BETWEEN ? AND ? AND negative > 0",
            *(brand, first * QUARTERS, last * QUARTERS + QUARTERS - 1),
        ):
            found.setdefault(at // QUARTERS, [0] * QUARTERS)[at % QUARTERS] = count
        return found

    def newest(self) -> float | None:
        """Time of the newest post."""
        found = self.rows("SELECT max(at) FROM seen")[0][0]
        return None if found is None else float(found)

    def position(self, source: str) -> str:
        """How far a source was read; empty for a new one."""
        found = self.rows("SELECT position FROM positions WHERE source = ?", source)
        return str(found[0][0]) if found else ""

    def keep_position(self, source: str, position: str) -> None:
        self.put("INSERT OR REPLACE INTO positions VALUES (?, ?)", source, position)

    def forget(self, now: float) -> None:
        """Delete what is older than it is kept."""
        self.put("DELETE FROM seen WHERE at < ?", now - COUNTED_D * DAY_S)
        self.put("DELETE FROM pairs WHERE text IN (SELECT id FROM texts WHERE last_at < ?)", now - COPIES_D * DAY_S)
        self.put("DELETE FROM texts WHERE last_at < ?", now - TEXTS_D * DAY_S)
        self.put("DELETE FROM voices WHERE at < ?", now - TEXTS_D * DAY_S)
        self.put("DELETE FROM authors WHERE at < ?", now - 2 * AUTHOR_D * DAY_S)

    def alarms(self, brand: str, since: int = 0) -> list[tuple[int, str]]:
        """Hour and record of the alarms of a brand, in order."""
        found = self.rows("SELECT hour, alarm FROM alarms WHERE brand = ? AND hour >= ? ORDER BY hour", brand, since)
        return [(int(hour), str(alarm)) for hour, alarm in found]
