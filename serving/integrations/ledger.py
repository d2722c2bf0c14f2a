"""The write ledger: every change that is wanted of a platform, from intent to confirmation, in one SQLite file.

An intent is on the disk before anything leaves, and `sending` is on the disk before each call, so that after a kill at
any point what may have left is known. All that happens is a line of a chain of hashes, which people read as a time
line: changes, edits by others, holds and waits.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from serving.integrations.change import Change, Fields, LedgerEntry, PlatformFault, Status, from_json, to_json

FILE = "platforms/ledger.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY, change_id TEXT NOT NULL UNIQUE, platform TEXT NOT NULL,
  account TEXT NOT NULL, campaign TEXT NOT NULL, change TEXT NOT NULL, status TEXT NOT NULL, object_id TEXT NOT NULL,
  before TEXT NOT NULL, tries INTEGER NOT NULL, sent_at REAL NOT NULL, fault TEXT);
CREATE INDEX IF NOT EXISTS changes_open ON changes (platform, account, status);
CREATE TABLE IF NOT EXISTS objects (platform TEXT, account TEXT, object TEXT, object_id TEXT, parent TEXT NOT NULL,
  campaign TEXT NOT NULL, fields TEXT NOT NULL, seen_at REAL NOT NULL, held TEXT NOT NULL,
  PRIMARY KEY (platform, account, object, object_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waits (platform TEXT, account TEXT, until REAL NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (platform, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (platform TEXT, account TEXT, day TEXT, read_at REAL NOT NULL,
  PRIMARY KEY (platform, account, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timeline (seq INTEGER PRIMARY KEY, at REAL NOT NULL, line TEXT NOT NULL, hash BLOB NOT NULL);
"""
_ENTRY = "change, status, object_id, before, tries, sent_at, fault"


class LedgerUnavailable(ConnectionError):
    """The ledger cannot be read or written; nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the time line. `what` is the kind of thing that happened, `detail` says it to people."""

    at: float
    who: str
    what: str
    platform: str
    account: str
    object: str = ""
    object_id: str = ""
    campaign: str = ""
    change_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object as it was last written or seen. `held` says why automation keeps its hands off; empty where not."""

    platform: str
    account: str
    object: str
    object_id: str
    fields: Fields
    parent: str = ""
    campaign: str = ""
    seen_at: float = 0.0
    held: str = ""


_LINE = tuple(one.name for one in fields(Happening))


class WriteLedger:
    """The ledger of a home, opened on first use. Threads take turns; processes wait for each other."""

    def __init__(self, path: Path) -> None:
        self.path, self._turn = path, threading.RLock()
        self._open: sqlite3.Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: all of it is on the disk afterwards, or nothing. May be nested."""
        with self._turn, self._told():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def intend(self, changes: Iterable[Change], at: float) -> list[str]:
        """Record changes as wanted; returns the ids of the new ones. Those that are there already stay as they are.

        Raises `ValueError` where an id is there with another content.
        """
        new = list[str]()
        with self.writing():
            for change in changes:
                written = to_json(change)
                there = self._rows("SELECT change FROM changes WHERE change_id = ?", change.change_id)
                if there and there[0][0] != written:
                    raise ValueError(f"change {change.change_id}: is in the ledger with another content")
                if there:
                    continue
                whose = change.change_id, change.platform, change.account, change.campaign
                self._db.execute(
                    "INSERT INTO changes (change_id, platform, account, campaign, change, status, object_id, before,"
                    " tries, sent_at) VALUES (?, ?, ?, ?, ?, 'intended', ?, '{}', 0, 0)",
                    (*whose, written, change.target),
                )
                self._note(at, change, "intended", change.reason)
                new.append(change.change_id)
        return new

    def entry(self, change_id: str) -> LedgerEntry:
        """The entry of a change. Raises `LookupError`."""
        found = self.entries("change_id = ?", change_id)
        if not found:
            raise LookupError(f"change {change_id}: not in the ledger")
        return found[0]

    def entries(self, where: str = "1", *values: Any) -> list[LedgerEntry]:
        """The entries of an SQL condition, in the order they were intended."""
        return [
            _entry(row)
            for row in self._rows(f"SELECT {_ENTRY} FROM changes WHERE {where} ORDER BY seq", *values)  # noqa: S608
        ]

    def of(self, platform: str, account: str, *statuses: Status) -> list[LedgerEntry]:
        """The entries of an account with one of the statuses."""
        marks = ", ".join("?" * len(statuses))
        return self.entries(f"platform = ? AND account = ? AND status IN ({marks})", platform, account, *statuses)

    def put(self, entry: LedgerEntry, at: float, told: str = "") -> None:
        """Write what became of a change, and a line of it."""
        fault = None if entry.fault is None else json.dumps(asdict(entry.fault))
        with self.writing():
            self._db.execute(
                "UPDATE changes SET status = ?, object_id = ?, before = ?, tries = ?, sent_at = ?, fault = ?"
                " WHERE change_id = ?",
                (
                    *(entry.status, entry.object_id, json.dumps(dict(entry.before)), entry.tries, entry.sent_at),
                    *(fault, entry.change.change_id),
                ),
            )
            self._note(at, entry.change, entry.status, told, entry.object_id)

    def object_of(self, reference: str) -> str:
        """The id of the object that this change created; empty before it did."""
        found = self._rows("SELECT object_id FROM changes WHERE change_id = ?", reference)
        return str(found[0][0]) if found else ""

    def known(
        self, platform: str, account: str, object: str = "", ids: Iterable[str] | None = None
    ) -> list[KnownObject]:
        """The objects of an account that were written or seen; of one type and these ids, where given."""
        wanted = None if ids is None else json.dumps(list(ids))
        rows = self._rows(
            "SELECT object, object_id, fields, parent, campaign, seen_at, held FROM objects WHERE platform = ?"
            " AND account = ? AND (? = '' OR object = ?)"
            " AND (? IS NULL OR object_id IN (SELECT value FROM json_each(?))) ORDER BY object, object_id",
            *(platform, account, object, object, wanted, wanted),
        )
        return [
            KnownObject(platform, account, kind, place, json.loads(fields), parent, campaign, seen_at, held)
            for kind, place, fields, parent, campaign, seen_at, held in rows
        ]

    def held(self) -> list[KnownObject]:
        """The objects of all accounts that automation leaves alone."""
        accounts = self._rows("SELECT DISTINCT platform, account FROM objects WHERE held != '' ORDER BY 1, 2")
        return [one for where in accounts for one in self.known(*where) if one.held]

    def see(self, objects: Iterable[KnownObject]) -> None:
        """Write objects as they were seen; a hold stays unless the object says otherwise."""
        with self.writing():
            self._db.executemany(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " fields = excluded.fields, seen_at = excluded.seen_at, parent = excluded.parent,"
                " campaign = CASE excluded.campaign WHEN '' THEN campaign ELSE excluded.campaign END,"
                " held = CASE excluded.held WHEN '' THEN held ELSE excluded.held END",
                [
                    (
                        *(one.platform, one.account, one.object, one.object_id, one.parent, one.campaign),
                        *(json.dumps(dict(one.fields)), one.seen_at, one.held),
                    )
                    for one in objects
                ],
            )

    def written(self, platform: str, account: str, object: str) -> set[str]:
        """The ids of the objects of a type that changes of this ledger wrote."""
        rows = self._rows(
            "SELECT DISTINCT object_id FROM changes WHERE platform = ? AND account = ? AND status = 'confirmed'"
            " AND json_extract(change, '$.object') = ?",
            *(platform, account, object),
        )
        return {str(row[0]) for row in rows}

    def seen_until(self, platform: str, account: str) -> float:
        """When the objects of the account were last read; 0 before the first time."""
        rows = self._rows("SELECT max(seen_at) FROM objects WHERE platform = ? AND account = ?", platform, account)
        return float(rows[0][0] or 0.0)

    def read_at(self, platform: str, account: str, day: str) -> float:
        """When a day's tables were read last; 0 where they were not."""
        rows = self._rows(
            "SELECT read_at FROM days WHERE platform = ? AND account = ? AND day = ?", platform, account, day
        )
        return float(rows[0][0]) if rows else 0.0

    def day_was_read(self, platform: str, account: str, day: str, at: float) -> None:
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?)", (platform, account, day, at))

    def release(self, platform: str, account: str, object: str, object_id: str, who: str, why: str, at: float) -> None:
        """Let automation change an object again that others had edited; its held changes are cancelled, because they
        were meant for another state. Raises `LookupError` where it is not held."""
        with self.writing():
            changed = self._db.execute(
                "UPDATE objects SET held = '' WHERE platform = ? AND account = ? AND object = ? AND object_id = ?"
                " AND held != ''",
                (platform, account, object, object_id),
            ).rowcount
            if not changed:
                raise LookupError(f"{platform} {object} {object_id}: is not held")
            self.note(Happening(at, who, "released", platform, account, object, object_id, detail=why))
            for entry in self.of(platform, account, "held"):
                if entry.object_id == object_id and entry.change.object == object:
                    self.put(replace(entry, status="cancelled"), at, f"released by {who}: {why}")

    def wait(self, platform: str, account: str, until: float, why: str, at: float) -> None:
        """No call may leave for this account before `until` (Unix seconds)."""
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO waits VALUES (?, ?, ?, ?)", (platform, account, until, why))
            self.note(Happening(at, "platform", "throttled", platform, account, detail=f"{why}: until {until:.0f}"))

    def waits_until(self, platform: str, account: str) -> tuple[float, str]:
        """Until when no call may leave, and why; (0, "") where calls may."""
        found = self._rows("SELECT until, why FROM waits WHERE platform = ? AND account = ?", platform, account)
        return (float(found[0][0]), str(found[0][1])) if found else (0.0, "")

    def note(self, happened: Happening) -> None:
        """Add a line to the time line."""
        line = json.dumps({name: getattr(happened, name) for name in _LINE}, sort_keys=True, ensure_ascii=False)
        with self.writing():
            last = self._rows("SELECT seq, hash FROM timeline ORDER BY seq DESC LIMIT 1")
            seq, before = last[0] if last else (0, b"")
            chained = hashlib.sha256(before + line.encode()).digest()
            self._db.execute("INSERT INTO timeline VALUES (?, ?, ?, ?)", (seq + 1, happened.at, line, chained))

    def timeline(self, since: float = 0.0) -> list[Happening]:
        """What happened since then. Raises `ValueError` naming the first line that was altered."""
        before, found = b"", list[Happening]()
        for seq, line, chained in self._rows("SELECT seq, line, hash FROM timeline ORDER BY seq"):
            if seq != len(found) + 1 or hashlib.sha256(before + line.encode()).digest() != chained:
                raise ValueError(f"{self.path}: line {len(found) + 1} of the time line was altered or removed")
            before = chained
            found.append(Happening(**json.loads(line)))
        return [one for one in found if one.at >= since]

    def close(self) -> None:
        with self._turn:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _note(self, at: float, change: Change, what: str, detail: str, object_id: str = "") -> None:
        where = change.platform, change.account, change.object, object_id or change.target
        self.note(Happening(at, change.by, what, *where, change.campaign, change.change_id, detail))

    def _rows(self, query: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        with self._turn, self._told():
            return self._db.execute(query, values).fetchall()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # an intent that a power cut forgets would be sent twice
            db.executescript(_TABLES)
            self._open = db
        return self._open

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as fault:
            raise LedgerUnavailable(f"{self.path} does not answer: {fault}") from fault


def _entry(row: tuple[Any, ...]) -> LedgerEntry:
    change, status, object_id, before, tries, sent_at, fault = row
    told = None if fault is None else PlatformFault(**json.loads(fault))
    return LedgerEntry(from_json(change), status, object_id, json.loads(before), tries, sent_at, told)
