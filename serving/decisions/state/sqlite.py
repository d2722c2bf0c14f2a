"""State in one SQLite file, the default.

Writes survive a killed process. Counts and changes also survive a power cut; a reservation does so from the next such
write on: the answer is lost with the machine anyway, and syncing the disk takes longer than a bid may.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

import orjson

from serving.decisions.params import DecisionParams
from serving.decisions.records import Decision, Opportunity, Override, PacedBy, State
from serving.decisions.state import book, changes, ledger, pages
from serving.decisions.state.book import SEPARATOR
from serving.decisions.state.ledger import Key
from serving.decisions.state.pages import Book, Pages
from serving.decisions.state.store import (
    UNCHANGED,
    Budget,
    CampaignSettings,
    Exposure,
    FeedbackEvent,
    Grant,
    Limit,
    Receipt,
    Reservation,
    StoreUnavailable,
)
from serving.decisions.state.upgrade import upgraded

log = logging.getLogger("adloop.decisions")

Item = TypeVar("Item")
Answer = TypeVar("Answer")

EVERYTHING = "everything"
#: End of a range of keys with the same prefix: the character after the separator.
AFTER = chr(ord(SEPARATOR) + 1)
OF_A_KIND = "SELECT key, value FROM book WHERE key > ? AND key < ? ORDER BY key"
#: Most holds settled, and most old holds and event ids deleted, in one transaction, to keep it short.
SWEPT = 200


@dataclass(frozen=True, slots=True)
class _Turn:
    """One transaction: its books, its holds by key, and the store's time."""

    db: sqlite3.Connection
    pages: Pages
    holds: Pages
    now: float


class SqliteStore:
    """A `Store` in a file that several processes may open. Threads of one process take turns.

    Args:
        clock: the store's clock, by which holds are due.
    """

    def __init__(self, path: Path, params: DecisionParams, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._keeping, self._ahead_s, self._lasting = params.keeping, params.clock.ahead_s, ledger.lasting(params)
        self._turn = Lock()
        self._db: sqlite3.Connection | None = None

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        now = self._settled()
        with self._opened() as db:
            books = Pages(lambda key: _read(db, key))
            return [self._told(one, version, books, now) for one in opportunities]

    def _settled(self) -> float:
        """The time, and whether no hold is due; every write settles due holds first."""
        now = self._clock()
        with self._opened() as db:
            due = db.execute("SELECT 1 FROM hold WHERE open = 1 AND expires <= ? LIMIT 1", [now]).fetchone()
        if due:
            with self._writing(now):
                pass
        return now

    def _told(self, asked: Opportunity, version: str, books: Pages, now: float) -> State:
        try:
            return self._state(asked, version, books, now)
        except (ValueError, TypeError, KeyError, AttributeError) as broken:  # affects this campaign only
            log.error("the books of %s, %s are unreadable: %s", asked.account_id, asked.campaign_id, broken)
            return State(known=False)

    def _state(self, asked: Opportunity, version: str, books: Pages, now: float) -> State:
        account, campaign = asked.account_id, asked.campaign_id
        at = self._at(asked.occurred_at, now)
        looked = books[pages.segments_key(account, campaign)] if asked.counted else None
        own = books[pages.campaign_key(account, campaign)]
        if asked.paced_by == "customer_id":
            own = {**own, "last_at": books[pages.customer_key(account, asked.customer_id or "")].get("last_at", "")}
        evidence = books[pages.evidence_key(account, campaign, version)]
        killed = books[EVERYTHING].get("killed")
        own_account, recent_s = books[pages.account_key(account)], self._keeping.recent_s
        compared = None
        if asked.compares:
            arms = books[pages.arms_key(account, campaign, version)]
            shown = books[pages.shown_key(int(at // book.DAY), account, asked.customer_id or "")]
            compared = arms, self._keeping.rewards_s, shown
        return book.state(own, own_account, looked, evidence, killed, at, now, recent_s, self._ahead_s, compared)

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        now = self._clock()

        def broken(one: Reservation, why: Exception) -> Grant:
            return Grant("refused", 0.0, f"the books of campaign '{one.campaign_id}' are unreadable: {why}")

        return self._each(asked, self._reserve, broken, now, synchronous="NORMAL")

    def _reserve(self, asked: Reservation, turn: _Turn) -> Grant:
        whose = asked.account_id, asked.campaign_id
        hold, at = turn.holds[(*whose, asked.purpose, asked.opportunity_id)], self._at(asked.occurred_at, turn.now)
        when = at, self._keeping.recent_s, turn.now + self._lasting[asked.purpose]
        if asked.drawn_from:
            return ledger.draw(asked, turn.pages, hold, turn.holds[(*whose, "allowance", asked.drawn_from)], *when)
        return ledger.reserve(asked, turn.pages, hold, turn.pages[EVERYTHING].get("killed"), *when)

    def expose(self, asked: Sequence[Exposure]) -> list[Grant]:
        def broken(one: Exposure, why: Exception) -> Grant:
            return Grant("refused", 0.0, f"what customer '{one.customer_id}' was shown is unreadable: {why}")

        return self._each(asked, self._expose, broken, self._clock(), synchronous="NORMAL")

    def _expose(self, asked: Exposure, turn: _Turn) -> Grant:
        account, campaign, at = asked.account_id, asked.campaign_id, self._at(asked.occurred_at, turn.now)
        shown = None
        if asked.customer_id is not None:
            shown = turn.pages[pages.shown_key(int(at // book.DAY), account, asked.customer_id)]
        keys = EVERYTHING, pages.campaign_key(account, campaign), pages.account_key(account)
        killed = next((why for key in keys if (why := turn.pages[key].get("killed"))), None)
        return ledger.expose(asked, shown, turn.holds[account, campaign, "choice", asked.opportunity_id], killed, at)

    def record(self, events: Sequence[FeedbackEvent]) -> list[Receipt]:
        def broken(one: FeedbackEvent, why: Exception) -> Receipt:
            return Receipt(False, "broken")

        return self._each(events, self._record, broken, self._clock())

    def _record(self, event: FeedbackEvent, turn: _Turn) -> Receipt:
        row = (event.account_id, event.event_id, turn.now)
        if not turn.db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?)", row).rowcount:
            return Receipt(False)
        hold = turn.holds[event.account_id, event.campaign_id, event.purpose, event.opportunity_id]
        return ledger.record(event, turn.pages, hold, turn.now + self._ahead_s, self._keeping)

    def _each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, _Turn], Answer],
        broken: Callable[[Item, Exception], Answer],
        now: float,
        synchronous: str = "FULL",
    ) -> list[Answer]:
        """Process all items in one transaction; after an error the halves separately, until the faulty one is alone."""
        try:
            with self._writing(now, synchronous) as turn:
                return [work(one, turn) for one in items]
        except StoreUnavailable:
            raise
        except Exception as wrong:
            if len(items) == 1:
                log.exception("skipped, as the store cannot process it: %r", items[0])
                return [broken(items[0], wrong)]
            half = len(items) // 2
            return [
                *self._each(items[:half], work, broken, now, synchronous),
                *self._each(items[half:], work, broken, now, synchronous),
            ]

    def claim(self, decision: Decision, cooldown_s: float, paced_by: PacedBy = "campaign_id") -> bool:
        account, campaign = decision.account_id, decision.campaign_id
        customer = paced_by == "customer_id"
        key = pages.customer_key(account, decision.target) if customer else pages.campaign_key(account, campaign)
        with self._writing(self._clock()) as turn:
            page = turn.pages[key]
            if page.get("last_decision") == decision.decision_id:
                return True
            if not changes.claimable(page, decision, cooldown_s):
                return False
            changes.claim(page, turn.pages[pages.segments_key(account, campaign)], decision)
            return True

    def configure(self, account_id: str, campaign_id: str, terms: CampaignSettings) -> None:
        with self._writing(self._clock()) as turn:
            turn.pages[pages.campaign_key(account_id, campaign_id)].update(book.terms(terms))
            turn.pages[pages.segments_key(account_id, campaign_id)].update(book.segments_of(terms))

    def limit(self, account_id: str, daily_limit: Limit = UNCHANGED, limit: Limit = UNCHANGED) -> None:
        said = book.limits(daily_limit=daily_limit, limit=limit)
        with self._writing(self._clock()) as turn:
            turn.pages[pages.account_key(account_id)].update(said)

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        with self._writing(self._clock()) as turn:
            turn.pages[pages.campaign_key(account_id, campaign_id)].update(book.overridden(said))

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        key = EVERYTHING if account_id is None else pages.account_key(account_id)
        if account_id is not None and campaign_id is not None:
            key = pages.campaign_key(account_id, campaign_id)
        with self._writing(self._clock()) as turn:
            turn.pages[key]["killed"] = why or ""

    def reset_clock(self, account_id: str) -> None:
        now, of_account = self._clock(), [account_id]
        with self._writing(now) as turn:
            for (key,) in turn.db.execute("SELECT key FROM book WHERE key > ?", ["account"]).fetchall():
                kind, *whose = key.split(SEPARATOR)
                if whose[:1] == of_account and kind in ("account", "arms", "campaign", "segments", "customer"):
                    length_s = self._keeping.rewards_s if kind == "arms" else self._keeping.recent_s
                    turn.pages[key].update(book.redated(turn.pages[key], now, length_s))
            which = "SELECT account, campaign, purpose, opportunity FROM hold WHERE account = ? AND open = 1"
            for key in turn.db.execute(which, of_account).fetchall():
                turn.holds[key].update(ledger.redated(turn.holds[key], now, self._lasting[key[2]]))

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        now, found = self._settled(), list[Budget]()
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
        """The caller's clock, limited so that no daily budget begins early."""
        return book.bounded(occurred_at, now + self._ahead_s)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The connection, opened on first use and again after a failure. For one thread at a time."""
        with self._turn:
            try:
                if self._db is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._db = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
                    self._db.execute("PRAGMA journal_mode = WAL")
                    upgraded(self._db, self._clock() + self._keeping.settles_s)
                yield self._db
            except (sqlite3.Error, OSError) as fault:
                if self._db is not None:
                    self._db.close()
                self._db = None
                raise StoreUnavailable(f"{self._path} does not answer: {fault}") from fault

    @contextmanager
    def _writing(self, now: float, synchronous: str = "FULL") -> Iterator[_Turn]:
        """An exclusive transaction."""
        with self._opened() as db:
            db.execute(f"PRAGMA synchronous = {synchronous}")
            db.execute("BEGIN IMMEDIATE")
            try:
                turn = _Turn(db, Pages(lambda key: _read(db, key)), Pages(lambda key: _hold(db, key)), now)
                self._sweep(turn)
                yield turn
                self._write(turn)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _write(self, turn: _Turn) -> None:
        rows = [(key, orjson.dumps(value)) for key, value in turn.pages.changed.items() if value]
        turn.db.executemany("INSERT OR REPLACE INTO book VALUES (?, ?)", rows)
        kept, gone = [], []
        for key, hold in turn.holds.changed.items():
            if not ledger.remembered(hold):
                gone.append(key)
                continue
            is_open = hold.get("open", 0)
            until = hold["expires"] if is_open else turn.now + self._keeping.remembered_s
            kept.append((*key, is_open, until, orjson.dumps(hold)))
        turn.db.executemany("INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
        turn.db.executemany(_FORGET, gone)

    def _sweep(self, turn: _Turn) -> None:
        """Settle due holds, and delete what is too old to be repeated."""
        which = "SELECT account, campaign, purpose, opportunity FROM hold WHERE open = ? AND expires <= ? LIMIT ?"
        for key in turn.db.execute(which, [1, turn.now, SWEPT]).fetchall():
            self._settle(key, turn)
        turn.db.executemany(_FORGET, turn.db.execute(which, [0, turn.now, SWEPT]).fetchall())
        past = pages.shown_key(int(turn.now // book.DAY) - 1, "", "")
        old = "DELETE FROM book WHERE key IN (SELECT key FROM book WHERE key > ? AND key < ? LIMIT ?)"
        turn.db.execute(old, [pages.shown_key(0, "", ""), past, SWEPT])
        old = "SELECT account, event FROM event WHERE at <= ? LIMIT ?"
        forgotten = turn.db.execute(old, [turn.now - self._keeping.remembered_s, SWEPT]).fetchall()
        turn.db.executemany("DELETE FROM event WHERE account = ? AND event = ?", forgotten)

    def _settle(self, key: Key, turn: _Turn) -> None:
        try:
            ledger.settle(key, turn.holds[key], turn.pages)
        except (ValueError, TypeError, KeyError, AttributeError):  # it keeps its money; the others are not affected
            log.exception("a hold of %s, %s cannot be settled and stays open", key[0], key[1])
            turn.holds.changed.pop(key, None)
            turn.db.execute(_STUCK, key)


_WHICH = " WHERE account = ? AND campaign = ? AND purpose = ? AND opportunity = ?"
_FORGET, _STUCK, _ASKED = (
    f"{what}{_WHICH}" for what in ("DELETE FROM hold", "UPDATE hold SET open = 2", "SELECT value FROM hold")
)


def _read(db: sqlite3.Connection, key: str) -> Book | None:
    found = db.execute("SELECT value FROM book WHERE key = ?", [key]).fetchone()
    return None if found is None else orjson.loads(found[0])


def _hold(db: sqlite3.Connection, key: Key) -> Book | None:
    found = db.execute(_ASKED, key).fetchone()
    return None if found is None else orjson.loads(found[0])
