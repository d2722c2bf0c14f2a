"""State in one SQLite file: the embedded default.

What was written outlives a killed process. What was counted or changed outlives a power cut too; a promise to a bid
does so from the next such write on: the answer is lost with the machine, and the disk takes longer than a bid may.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from serving.decisions.params import Decisions
from serving.decisions.records import MICRO, Action, Decision, Opportunity, Override, State
from serving.decisions.state import book, ledger
from serving.decisions.state.book import SEPARATOR
from serving.decisions.state.ledger import Held, Pages
from serving.decisions.state.store import KEPT, Budget, Event, Grant, Limit, Reservation, StoreUnavailable, Terms

SCHEMA = """
CREATE TABLE IF NOT EXISTS book (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservation (
    account TEXT, opportunity TEXT, campaign TEXT, amount INTEGER, expires REAL, open INTEGER,
    PRIMARY KEY (account, opportunity)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reservation_expires ON reservation (open, expires);
CREATE TABLE IF NOT EXISTS event (account TEXT, event TEXT, at REAL, PRIMARY KEY (account, event)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_at ON event (at);
"""
EVERYTHING = "everything"
#: What follows the separator: all keys of a kind are between the two.
AFTER = chr(ord(SEPARATOR) + 1)
OF_A_KIND = "SELECT key, value FROM book WHERE key > ? AND key < ? ORDER BY key"
#: Old reservations and event ids that are forgotten in one transaction, at most: none takes long.
SWEPT = 200


class Sqlite:
    """A `Store` in a file that any number of processes open, each its own. Threads of one take turns.

    Args:
        clock: the store's clock, by which reservations expire.
    """

    def __init__(self, path: Path, params: Decisions, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._keeping, self._ahead_s = params.keeping, params.clock.ahead_s
        self._turn = Lock()
        self._db: sqlite3.Connection | None = None

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        now = self._clock()
        with self._opened() as db:
            due = db.execute("SELECT 1 FROM reservation WHERE open = 1 AND expires <= ? LIMIT 1", [now]).fetchone()
        if due:
            with self._writing(now):
                pass  # every write first releases what has expired
        with self._opened() as db:
            pages = Pages(lambda key: _read(db, key))
            return [self._state(one, version, pages, now) for one in opportunities]

    def _state(self, asked: Opportunity, version: str, pages: Pages, now: float) -> State:
        account, campaign = asked.account_id, asked.campaign_id
        at = self._at(asked.occurred_at, now)
        looked = pages[ledger.segments_key(account, campaign)] if asked.asked == "campaign" else None
        own = pages[ledger.campaign_key(account, campaign)]
        if asked.asked == "customer":
            own = {**own, "last_at": pages[ledger.customer_key(account, asked.customer_id or "")].get("last_at", "")}
        evidence = pages[ledger.evidence_key(account, campaign, version)]
        killed = pages[EVERYTHING].get("killed")
        recent_s = self._keeping.recent_s
        return book.state(own, pages[ledger.account_key(account)], looked, evidence, killed, at, now, recent_s)

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        now = self._clock()
        with self._writing(now, synchronous="NORMAL") as (db, pages):
            return [self._reserve(one, db, pages, now) for one in asked]

    def _reserve(self, asked: Reservation, db: sqlite3.Connection, pages: Pages, now: float) -> Grant:
        if (held := _held(db, asked.account_id, asked.opportunity_id)) is not None:
            return Grant("again", held.amount / MICRO)
        at = self._at(asked.occurred_at, now)
        grant = ledger.reserve(asked, pages, pages[EVERYTHING].get("killed"), at, self._keeping.recent_s)
        if grant.status == "reserved":
            expires = now + (self._keeping.expires_s if asked.lasts_s is None else asked.lasts_s)
            row = (asked.account_id, asked.opportunity_id, asked.campaign_id, book.micros(asked.amount), expires, 1)
            db.execute("INSERT INTO reservation VALUES (?, ?, ?, ?, ?, ?)", row)
        return grant

    def record(self, events: Sequence[Event]) -> list[bool]:
        now = self._clock()
        with self._writing(now) as (db, pages):
            return [self._record(one, db, pages, now) for one in events]

    def _record(self, event: Event, db: sqlite3.Connection, pages: Pages, now: float) -> bool:
        row = (event.account_id, event.event_id, now)
        if not db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?)", row).rowcount:
            return False
        at = self._at(event.occurred_at, now)
        if event.cost is not None or event.kind == "loss":
            held = _held(db, event.account_id, event.opportunity_id)
            if held is not None and held.open:
                _release(db, event.account_id, event.opportunity_id, held, pages)
            ledger.pay(event, pages, at)
        ledger.tally(event, pages, at, self._keeping.recent_s)
        return True

    def claim(self, decision: Decision, cooldown_s: float) -> bool:
        account, campaign = decision.account_id, decision.campaign_id
        offer = decision.action is Action.RETENTION_OFFER
        key = (ledger.customer_key if offer else ledger.campaign_key)(account, decision.target if offer else campaign)
        with self._writing(self._clock()) as (_, pages):
            page = pages[key]
            if page.get("last_decision") == decision.decision_id:
                return True
            if not ledger.claimable(page, decision, cooldown_s):
                return False
            ledger.claim(page, pages[ledger.segments_key(account, campaign)], decision)
            return True

    def configure(self, account_id: str, campaign_id: str, terms: Terms) -> None:
        with self._writing(self._clock()) as (_, pages):
            pages[ledger.campaign_key(account_id, campaign_id)].update(book.terms(terms))
            pages[ledger.segments_key(account_id, campaign_id)].update(book.segments_of(terms))

    def limit(self, account_id: str, daily_limit: Limit = KEPT, limit: Limit = KEPT) -> None:
        said = book.limits(daily_limit=daily_limit, limit=limit)
        with self._writing(self._clock()) as (_, pages):
            pages[ledger.account_key(account_id)].update(said)

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        with self._writing(self._clock()) as (_, pages):
            pages[ledger.campaign_key(account_id, campaign_id)].update(book.overridden(said))

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        key = EVERYTHING if account_id is None else ledger.account_key(account_id)
        if account_id is not None and campaign_id is not None:
            key = ledger.campaign_key(account_id, campaign_id)
        with self._writing(self._clock()) as (_, pages):
            pages[key]["killed"] = why or ""

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        now, found = self._clock(), []
        with self._opened() as db:
            for kind in ("account", "campaign"):
                rows = db.execute(OF_A_KIND, [kind + SEPARATOR, kind + AFTER])
                for key, value in rows:
                    account, campaign = (*key.split(SEPARATOR)[1:], None)[:2]
                    if account_id in (None, account):
                        found.append(book.budget(orjson.loads(value), account, campaign, now))
        return found

    def stopped(self) -> str | None:
        with self._opened() as db:
            return (_read(db, EVERYTHING) or {}).get("killed") or None

    def _at(self, occurred_at: float, now: float) -> float:
        """The caller's clock, kept from running ahead: no day's budget begins before the day."""
        return book.bounded(occurred_at, now + self._ahead_s)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The file, opened by the first who needs it, and again after it failed. One thread at a time."""
        with self._turn:
            try:
                if self._db is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._db = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.executescript(SCHEMA)
                yield self._db
            except (sqlite3.Error, OSError) as fault:
                if self._db is not None:
                    self._db.close()
                self._db = None
                raise StoreUnavailable(f"{self._path} does not answer: {fault}") from fault

    @contextmanager
    def _writing(self, now: float, synchronous: str = "FULL") -> Iterator[tuple[sqlite3.Connection, Pages]]:
        """A transaction that all others wait for, whole or not at all."""
        with self._opened() as db:
            db.execute(f"PRAGMA synchronous = {synchronous}")
            db.execute("BEGIN IMMEDIATE")
            try:
                pages = Pages(lambda key: _read(db, key))
                self._sweep(db, pages, now)
                yield db, pages
                rows = [(key, orjson.dumps(value)) for key, value in pages.changed.items() if value]
                db.executemany("INSERT OR REPLACE INTO book VALUES (?, ?)", rows)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _sweep(self, db: sqlite3.Connection, pages: Pages, now: float) -> None:
        """Release reservations that expired, and forget what is too old to be asked again."""
        due = "SELECT account, opportunity FROM reservation WHERE open = 1 AND expires <= ? LIMIT ?"
        for account, opportunity in db.execute(due, [now, SWEPT]).fetchall():
            held = _held(db, account, opportunity)
            if held is not None:
                _release(db, account, opportunity, held, pages)
        old = "SELECT account, opportunity FROM reservation WHERE open = 0 AND expires <= ? LIMIT ?"
        closed = db.execute(old, [now - self._keeping.expires_s, SWEPT]).fetchall()
        db.executemany("DELETE FROM reservation WHERE account = ? AND opportunity = ?", closed)
        old = "SELECT account, event FROM event WHERE at <= ? LIMIT ?"
        forgotten = db.execute(old, [now - self._keeping.remembered_s, SWEPT]).fetchall()
        db.executemany("DELETE FROM event WHERE account = ? AND event = ?", forgotten)


def _read(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    found = db.execute("SELECT value FROM book WHERE key = ?", [key]).fetchone()
    return None if found is None else orjson.loads(found[0])


def _held(db: sqlite3.Connection, account: str, opportunity: str) -> Held | None:
    asked = "SELECT account, campaign, amount, expires, open FROM reservation WHERE account = ? AND opportunity = ?"
    found = db.execute(asked, [account, opportunity]).fetchone()
    return None if found is None else Held(*found)


def _release(db: sqlite3.Connection, account: str, opportunity: str, held: Held, pages: Pages) -> None:
    ledger.release(held, pages)
    db.execute("UPDATE reservation SET open = 0 WHERE account = ? AND opportunity = ?", [account, opportunity])
