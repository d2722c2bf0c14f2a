"""What rules did, in one SQLite file: verdicts with their reasons, changes, queued rests, and half hours looked at.

A look is written whole, with its changes, before they are intended: after a kill between the two the same changes are
intended by the next run, and the half hour is not looked at again.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.grammar import RuleAccount
from serving.campaigns.rules.look import Evaluation, QueueKey, RuleMemory, RuleVerdict, told
from serving.campaigns.rules.objects import Place
from serving.integrations.change import Change, from_json, to_json

FILE = "campaigns/rules.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS looks (account TEXT, rule TEXT, slot TEXT, at REAL NOT NULL,
  PRIMARY KEY (account, rule, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (seq INTEGER PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL,
  rule TEXT NOT NULL, slot TEXT NOT NULL, object TEXT NOT NULL, object_id TEXT NOT NULL, answer TEXT NOT NULL,
  why TEXT NOT NULL, done TEXT NOT NULL, change_ids TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS steps (account TEXT NOT NULL, object TEXT NOT NULL, object_id TEXT NOT NULL,
  field TEXT NOT NULL, at REAL NOT NULL, before TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS steps_by_time ON steps (account, at);
CREATE TABLE IF NOT EXISTS queue (account TEXT, rule TEXT, object TEXT, object_id TEXT, field TEXT, value REAL NOT NULL,
  PRIMARY KEY (account, rule, object, object_id, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS to_intend (seq INTEGER PRIMARY KEY, account TEXT NOT NULL, change TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class LoggedVerdict:
    """A verdict of the log. `at` in Unix seconds."""

    at: float
    verdict: RuleVerdict


class RuleStore:
    """The store of one account's rules."""

    def __init__(self, path: Path, account: RuleAccount) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._account = f"{account.platform}/{account.id}"
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_TABLES)

    def seen(self, slots: dict[str, str]) -> dict[str, str]:
        """The half hours by rule that were not looked at yet."""
        known = {(rule, slot) for rule, slot in self._rows("SELECT rule, slot FROM looks WHERE account = ?")}
        return {rule: slot for rule, slot in slots.items() if (rule, slot) not in known}

    def memory(self, now: datetime) -> RuleMemory:
        """What earlier looks did. `now` is in the account's time zone."""
        midnight = datetime.combine(now.date(), time(), now.tzinfo).timestamp()
        past, today = dict[tuple[Place, str], Past](), 0
        for kind, name, field, at, before in self._rows(
            "SELECT object, object_id, field, at, before FROM steps WHERE account = ? ORDER BY at"
        ):
            key = (kind, name), field
            began = past[key].day_began if key in past else None
            value = json.loads(before)
            if at >= midnight:
                today += not field.startswith(told(""))
                began = value if began is None and isinstance(value, int | float) else began
            past[key] = Past(at, began)
        queue: dict[QueueKey, float] = {
            (rule, (kind, name), field): value
            for rule, kind, name, field, value in self._rows(
                "SELECT rule, object, object_id, field, value FROM queue WHERE account = ?"
            )
        }
        return RuleMemory(past, queue, today)

    def write(self, found: Evaluation, at: float) -> None:
        """Keep a look: all of it, or nothing."""
        steps = [(one.wish.one.place, one.wish.field, one.wish.before) for one in found.made]
        steps += [(verdict.place, told(verdict.rule), None) for _, verdict in found.notices + found.pings]
        with self._writing() as db:
            db.executemany(
                "INSERT INTO looks VALUES (?, ?, ?, ?)",
                [(self._account, rule, slot, at) for rule, slot in found.slots.items()],
            )
            db.executemany(
                "INSERT INTO verdicts (account, at, rule, slot, object, object_id, answer, why, done, change_ids)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(self._account, at, one.rule, one.slot, *one.place, one.tri, one.why),
                        *(json.dumps(one.done), json.dumps(one.change_ids)),
                    )
                    for one in found.verdicts
                ],
            )
            db.executemany(
                "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)",
                [(self._account, *place, field, at, json.dumps(before)) for place, field, before in steps],
            )
            db.executemany(
                "DELETE FROM queue WHERE account = ? AND rule = ?", [(self._account, r) for r in found.slots]
            )
            db.executemany(
                "INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?)",
                [(self._account, rule, *place, field, rest) for (rule, place, field), rest in found.queue.items()],
            )
            db.executemany(
                "INSERT INTO to_intend (account, change) VALUES (?, ?)",
                [(self._account, to_json(change)) for change in found.changes],
            )

    def to_intend(self) -> list[Change]:
        """Changes that are not known to be in the write ledger."""
        rows = self._rows("SELECT change FROM to_intend WHERE account = ? ORDER BY seq")
        return [from_json(change) for (change,) in rows]

    def intended(self) -> None:
        """All of `to_intend` are in the write ledger."""
        with self._writing() as db:
            db.execute("DELETE FROM to_intend WHERE account = ?", (self._account,))

    def verdicts(self, most: int, rule: str = "", name: str = "") -> list[LoggedVerdict]:
        """The last verdicts, the newest first; of one rule or object, where named."""
        rows = self._rows(
            "SELECT at, rule, slot, object, object_id, answer, why, done, change_ids FROM verdicts WHERE account = ?"
            " AND (? = '' OR rule = ?) AND (? = '' OR object_id = ?) ORDER BY seq DESC LIMIT ?",
            *(rule, rule, name, name, most),
        )
        return [
            LoggedVerdict(
                at,
                RuleVerdict(of, slot, (kind, place), tri, why, tuple(json.loads(done)), tuple(json.loads(ids))),
            )
            for at, of, slot, kind, place, tri, why, done, ids in rows
        ]

    def close(self) -> None:
        self._db.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._db.execute(query, (self._account, *values)).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
