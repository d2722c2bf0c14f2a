"""What came of decisions: impressions, clicks and conversions, days late, told twice, out of order, joined once.

An event is on disk when it is accepted, and known by its id for ever. It is counted in the state once its decision is
known, whichever comes first; the store itself counts an id once, so that a kill between the two counts nothing twice.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import orjson

from serving.decisions.attribution import facts
from serving.decisions.log.entry import Entry
from serving.decisions.params import Decisions
from serving.decisions.records import Action, counted
from serving.decisions.state.store import MOST, Event, Store, StoreUnavailable

log = logging.getLogger("adloop.decisions")

#: `waits`: its decision is not known, yet or for ever.
Status = Literal["joined", "again", "waits"]
Kind = Literal["loss", "impression", "click", "conversion"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
    account TEXT, decision TEXT, at REAL, facts BLOB, PRIMARY KEY (account, decision)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decision_at ON decision (at);
CREATE TABLE IF NOT EXISTS event (
    account TEXT, event TEXT, decision TEXT, kind TEXT, at REAL, cost REAL, value REAL, counted INTEGER DEFAULT 0,
    PRIMARY KEY (account, event)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_waiting ON event (account, decision) WHERE counted = 0;
"""
#: Decisions that are looked up, and old ones that are forgotten, in one go at most.
BATCH = 1000
#: Events of known decisions that are not counted yet: some of them all, or those of the decisions that are asked for.
WAITING = """
SELECT event.account, event.event, kind, event.at, cost, value, facts
FROM event JOIN decision ON decision.account = event.account AND decision.decision = event.decision
WHERE event.counted = 0 LIMIT 1000
"""
WAITING_OF = """
SELECT event.account, event.event, kind, event.at, cost, event.value, facts
FROM json_each(?) AS asked
CROSS JOIN event INDEXED BY event_waiting
    ON event.account = asked.value ->> 0 AND event.decision = asked.value ->> 1 AND event.counted = 0
JOIN decision ON decision.account = event.account AND decision.decision = event.decision
"""


@dataclass(frozen=True, slots=True)
class Observed:
    """Something that came of a decision, as the platform or the shop tells it.

    Attributes:
        event_id: what makes it that event, within the account.
        cost: what is to be paid for it, in the account's currency; None: it is not told with this event.
        value: of the conversion; negative for a refund.
    """

    event_id: str
    account_id: str
    decision_id: str
    kind: Kind
    occurred_at: float
    cost: float | None = None
    value: float = 0.0

    def __post_init__(self) -> None:
        counted(self.occurred_at, self.cost or 0.0, abs(self.value))
        if max(self.cost or 0.0, abs(self.value)) > MOST:
            raise ValueError(f"expected amounts up to {MOST:.0f}, got cost {self.cost}, value {self.value}")


#: The file of an endpoint's feedback, beside its log.
FILE = "feedback.db"


class Feedback:
    """Events in one SQLite file that any number of processes open, each its own. Threads of one take turns."""

    def __init__(self, path: Path, store: Store, params: Decisions) -> None:
        self._path, self._store, self._remembered_s = path, store, params.keeping.remembered_s
        self._turn, self._behind = Lock(), True
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(SCHEMA)

    def expect(self, entries: Sequence[Entry]) -> None:
        """Remember decisions that something may come of: to be the decision log's listener.

        Told again, nothing changes. What was told of them before is counted now.
        """
        acted = [entry for entry in entries if entry.decision.action in (Action.BID, Action.RETENTION_OFFER)]
        if not acted:
            return
        rows = [
            (made.account_id, made.decision_id, entry.logged_at, orjson.dumps(facts(made, entry.opportunity)))
            for entry in acted
            for made in [entry.decision]
        ]
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO decision VALUES (?, ?, ?, ?)", rows)
            old = "SELECT account, decision FROM decision WHERE at < ? ORDER BY at LIMIT ?"
            forgotten = db.execute(old, [rows[-1][2] - self._remembered_s, BATCH]).fetchall()
            db.executemany("DELETE FROM decision WHERE account = ? AND decision = ?", forgotten)
        self._count([(account, decision) for account, decision, *_ in rows])

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """Accept events: they are on disk when this returns. `again` for an id that was accepted before.

        Where the store is away they are counted when it is back. Raises `sqlite3.Error` where the disk is: nothing was
        accepted then, and all may be told again.
        """
        with self._writing() as db:
            statuses = [self._accept(db, one) for one in observed]
        self._count(list(dict.fromkeys((one.account_id, one.decision_id) for one in observed)))
        return statuses

    def _accept(self, db: sqlite3.Connection, one: Observed) -> Status:
        row = (one.account_id, one.event_id, one.decision_id, one.kind, one.occurred_at, one.cost, one.value)
        new = db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, 0)", row).rowcount
        if not new:
            return "again"
        known = "SELECT 1 FROM decision WHERE account = ? AND decision = ?"
        return "joined" if db.execute(known, [one.account_id, one.decision_id]).fetchone() else "waits"

    def _count(self, decisions: Sequence[tuple[str, str]]) -> None:
        """Tell the store the events of these decisions; and all that wait, if it was away."""
        try:
            if self._behind:
                while self._tell(WAITING, []):
                    pass
                self._behind = False
            for start in range(0, len(decisions), BATCH):
                self._tell(WAITING_OF, [orjson.dumps(decisions[start : start + BATCH]).decode()])
        except StoreUnavailable as away:
            self._behind = True
            log.warning("events are counted later: %s", away)

    def _tell(self, query: str, values: Sequence[str]) -> int:
        with self._turn:
            waiting = self._db.execute(query, values).fetchall()
        if waiting:
            self._store.record([_event(*row) for row in waiting])
            with self._writing() as db:
                done = [(account, event) for account, event, *_ in waiting]
                db.executemany("UPDATE event SET counted = 1 WHERE account = ? AND event = ?", done)
        return len(waiting)

    def close(self) -> None:
        with self._turn:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that all others wait for, whole or not at all."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _event(account: str, event: str, kind: Kind, at: float, cost: float | None, value: float, told: bytes) -> Event:
    return Event(event, account_id=account, kind=kind, occurred_at=at, cost=cost, value=value, **orjson.loads(told))
