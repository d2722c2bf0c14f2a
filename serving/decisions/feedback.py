"""Joins outcomes to decisions: impressions, clicks and conversions that may be late, repeated or out of order.

An accepted event is on disk, and its id is known for ever. It is counted in the state once its decision is known,
whichever comes first. The store also counts each id once, so that a kill between the two steps counts nothing twice.
Decisions are kept for `keeping.remembered_s`. An event that the state cannot count is set aside without blocking
others.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import orjson

from features.records import EVENT_TABLE
from serving.decisions.attribution import facts, followed, logged
from serving.decisions.params import DecisionParams
from serving.decisions.state.store import FeedbackEvent, Flag, Store, StoreUnavailable
from serving.records.columns import LoggedRecord

log = logging.getLogger("adloop.decisions")

#: `waits`: its decision is unknown so far. `ahead`: dated in the future, and not accepted. `flagged`: joined, but its
#: cost needs a check (see `state.store.Flag`). `recorded`: labels.
Status = Literal["joined", "again", "waits", "ahead", "flagged", "recorded"]
Kind = Literal["loss", "impression", "click", "conversion", "correction"]

SCHEMA = f"""{EVENT_TABLE}CREATE TABLE IF NOT EXISTS decision (
    account TEXT, decision TEXT, at REAL, facts BLOB, PRIMARY KEY (account, decision)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decision_at ON decision (at);
CREATE INDEX IF NOT EXISTS event_waiting ON event (account, decision) WHERE counted = 0;
CREATE INDEX IF NOT EXISTS event_told ON event (told);
CREATE INDEX IF NOT EXISTS event_aside ON event (account) WHERE counted = 2;
"""
#: Values of the column `counted`: waiting, counted in the state, or set aside.
WAITS, COUNTED, ASIDE = 0, 1, 2
#: Most decisions per query, and most old ones deleted at once.
BATCH = 1000
#: Uncounted events of known decisions, in order of arrival: the oldest, or those of the given decisions.
WAITING = """
SELECT event.account, event.event, event.decision, kind, event.at, cost, event.value, facts
FROM event JOIN decision ON decision.account = event.account AND decision.decision = event.decision
WHERE event.counted = 0 AND decision.at > ? ORDER BY event.told LIMIT 1000
"""
WAITING_OF = """
SELECT event.account, event.event, event.decision, kind, event.at, cost, event.value, facts
FROM json_each(?2) AS asked
CROSS JOIN event INDEXED BY event_waiting
    ON event.account = asked.value ->> 0 AND event.decision = asked.value ->> 1 AND event.counted = 0
JOIN decision ON decision.account = event.account AND decision.decision = event.decision AND decision.at > ?1
ORDER BY event.told
"""
#: A cost of at least this multiple of the reserved amount looks like a price per thousand impressions.
THOUSANDS = 100.0


@dataclass(frozen=True, slots=True)
class Observed:
    """An event as the platform or shop reports it.

    Attributes:
        event_id: unique within the account.
        kind: `loss` is also a declined offer; `correction` is the final cost of the decision.
        cost: cost of the decision in the account's currency. The first reported cost is charged, whatever the event's
            kind; None where this event reports none.
        value: of the conversion; negative for a refund, which is deducted from the decision's conversions.
    """

    event_id: str
    account_id: str
    decision_id: str
    kind: Kind
    occurred_at: float
    cost: float | None = None
    value: float = 0.0


class Feedback:
    """Events in one SQLite file. Several processes may open it; threads of one process share a connection.

    Args:
        flagged: called with the flag of each cost that needs a check.
        clock: Unix seconds; decides whether an event is dated in the future and a decision is old.
    """

    def __init__(
        self,
        path: Path,
        store: Store,
        params: DecisionParams,
        flagged: Callable[[Flag], None] = lambda flag: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._store, self._flagged, self._clock = path, store, flagged, clock
        self._remembered_s, self._ahead_s = params.keeping.remembered_s, params.clock.ahead_s
        self._turn, self._behind, self._away, self._aside = Lock(), True, "", 0
        #: Why events are not accepted; empty while they are.
        self.failing = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        columns = [name for _, name, *_ in self._db.execute("PRAGMA table_info(event)")]
        if columns and "told" not in columns:  # files of earlier versions lack the order of arrival
            self._db.execute("ALTER TABLE event ADD COLUMN told INTEGER")
        self._db.executescript(SCHEMA)
        (self._aside,) = self._db.execute("SELECT count(*) FROM event WHERE counted = 2").fetchone()

    def expect(self, records: Sequence[LoggedRecord]) -> None:
        """Register logged decisions whose outcomes matter. Called by the decision log.

        Idempotent. Counts the events that were waiting for these decisions.
        """
        rows = [
            (entry.decision.account_id, entry.decision.decision_id, entry.logged_at, orjson.dumps(facts(entry)))
            for entry in map(logged, records)
            if followed(entry)
        ]
        if not rows:
            return
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO decision VALUES (?, ?, ?, ?)", rows)
            old = "SELECT account, decision FROM decision WHERE at < ? ORDER BY at LIMIT ?"
            forgotten = db.execute(old, [rows[-1][2] - self._remembered_s, BATCH]).fetchall()
            db.executemany("DELETE FROM decision WHERE account = ? AND decision = ?", forgotten)
        self._count([(account, decision) for account, decision, *_ in rows])

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """Accept events; they are on disk when this returns. `again` for a known id.

        While the store is unavailable, they are counted later. Raises `sqlite3.Error` if the disk fails: nothing was
        accepted then, and all of them may be reported again.
        """
        try:
            statuses, flags = self._taken(observed)
        except Exception as broken:
            self.failing = f"events are not accepted: {broken}"
            raise
        self.failing = ""
        return [
            "flagged" if status == "joined" and (one.account_id, one.event_id) in flags else status
            for one, status in zip(observed, statuses, strict=True)
        ]

    def _taken(self, observed: Sequence[Observed]) -> tuple[list[Status], dict[tuple[str, str], Flag]]:
        latest = self._clock() + self._ahead_s
        with self._writing() as db:
            ((last,),) = db.execute("SELECT coalesce(max(told), 0) FROM event")
            first = max(time.time_ns(), last + 1)  # in the order of commits: copies are made from the last one copied
            statuses = [self._accept(db, one, latest, first + place) for place, one in enumerate(observed)]
        return statuses, self._count(list(dict.fromkeys((one.account_id, one.decision_id) for one in observed)))

    def _accept(self, db: sqlite3.Connection, one: Observed, latest: float, told: int) -> Status:
        if one.occurred_at > latest:
            return "ahead"
        row = (one.account_id, one.event_id, one.decision_id, one.kind, one.occurred_at, one.cost, one.value, told)
        new = db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)", row).rowcount
        if not new:
            return "again"
        known = "SELECT 1 FROM decision WHERE account = ? AND decision = ? AND at > ?"
        since = self._clock() - self._remembered_s
        return "joined" if db.execute(known, [one.account_id, one.decision_id, since]).fetchone() else "waits"

    @property
    def standing(self) -> dict[str, object]:
        """`counting`, or why not; and the number of events that were set aside."""
        return {"state": self.failing or self._away or "counting", "set_aside": self._aside}

    def _count(self, decisions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Flag]:
        """Count waiting events of these decisions, or all after an outage. Returns the flagged ones."""
        flags: dict[tuple[str, str], Flag] = {}
        try:
            if self._behind:
                while self._tell(WAITING, [], flags):
                    pass
                self._behind, self._away = False, ""
            for start in range(0, len(decisions), BATCH):
                self._tell(WAITING_OF, [orjson.dumps(decisions[start : start + BATCH]).decode()], flags)
        except StoreUnavailable as away:
            self._behind, self._away = True, str(away)
            log.warning("events will be counted later: %s", away)
        return flags

    def _tell(self, query: str, values: Sequence[str], flags: dict[tuple[str, str], Flag]) -> int:
        since = self._clock() - self._remembered_s
        with self._turn:
            waiting = self._db.execute(query, [since, *values]).fetchall()
        if not waiting:
            return 0
        events = [_event(row) for row in waiting]
        receipts = iter(self._store.record([event for event in events if event is not None]))
        done = []
        for row, event in zip(waiting, events, strict=True):
            flag: Flag | None = "broken" if event is None else next(receipts).flag
            done.append((ASIDE if flag == "broken" else COUNTED, *row[:2]))
            if flag is not None:
                flags[row[0], row[1]] = flag
                self._flag(flag, row, event)
        with self._writing() as db:
            db.executemany("UPDATE event SET counted = ? WHERE account = ? AND event = ?", done)
        return len(waiting)

    def _flag(self, flag: Flag, row: "_Row", event: FeedbackEvent | None) -> None:
        self._flagged(flag)
        self._aside += flag == "broken"
        account, name, decision, *_ = row
        log.error("event '%s' of %s, decision %s: %s", name, account, decision, _why(flag, event))

    def close(self) -> None:
        with self._turn:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """An exclusive transaction."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


#: Account, event, decision, kind, time, cost, value and the facts of the decision.
_Row = tuple[str, str, str, Kind, float, float | None, float, bytes]
FLAGGED: dict[Flag, str] = {
    "above": "the cost is above the reserved amount",
    "late": "the cost came after the reservation had ended: the bid was lost or settled",
    "conflict": "not charged: a different cost was charged before; only a correction replaces it",
    "broken": "set aside: the state cannot count it",
}


def _why(flag: Flag, event: FeedbackEvent | None) -> str:
    """Explanation of a flag."""
    if flag != "above" or event is None or event.cost is None or not event.promised:
        return FLAGGED[flag]
    times = event.cost / event.promised
    guess = ": is it a price per thousand impressions?" if times >= THOUSANDS else ""
    return f"charged {event.cost:.6g}, {times:.6g} times the reserved {event.promised:.6g}{guess}"


def _event(row: _Row) -> FeedbackEvent | None:
    """The event for the store; None for an invalid row."""
    account, event, _, kind, at, cost, value, told = row
    try:
        return FeedbackEvent(
            event, account_id=account, kind=kind, occurred_at=at, cost=cost, value=value, **orjson.loads(told)
        )
    except (ValueError, TypeError):
        log.exception("event '%s' of %s", event, account)
        return None
