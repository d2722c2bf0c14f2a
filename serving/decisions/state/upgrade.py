"""The tables of the embedded store, and how a file of an earlier version becomes one of this.

A file from before holds had a day and a purpose knows reservations that expired after minutes. Those that are open are
kept as holds of bids of the day that is on: the money stays set aside until they are settled. A file of a later version
is refused.
"""

import sqlite3
from typing import Any

import orjson

from serving.decisions.state.pages import account_key, campaign_key

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS book (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (
    account TEXT, campaign TEXT, purpose TEXT, opportunity TEXT, open INTEGER, expires REAL, value BLOB NOT NULL,
    PRIMARY KEY (account, campaign, purpose, opportunity)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hold_expires ON hold (open, expires);
CREATE TABLE IF NOT EXISTS event (account TEXT, event TEXT, at REAL, PRIMARY KEY (account, event)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_at ON event (at);
"""


def upgraded(db: sqlite3.Connection, expires: float) -> None:
    """Bring an open file to this version, whole or not at all.

    Args:
        expires: when the holds that it has from before are settled, by the store's clock.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError(f"it is of a later version ({version}) than this adloop knows: use that adloop")
    if version == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'reservation'").fetchone():
            _reservations(db, expires)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _reservations(db: sqlite3.Connection, expires: float) -> None:
    """Make holds of open reservations. What they are together is what campaigns and accounts hold."""
    books: dict[str, Any] = {key: orjson.loads(value) for key, value in db.execute("SELECT key, value FROM book")}
    for one in books.values():
        one.pop("reserved", None)
    days = {key: int(one.get("day", 0)) for key, one in books.items()}
    query = "SELECT account, campaign, opportunity, amount FROM reservation WHERE open = 1"
    for account, campaign, opportunity, amount in db.execute(query).fetchall():
        keys = campaign_key(account, campaign), account_key(account)
        day = max(days.get(key, 0) for key in keys)
        purpose = "allowance" if opportunity.startswith("allowance:") else "bid"
        for one in (books.setdefault(key, {}) for key in keys):
            if day > one.get("day", -1):
                one.update(day=day, today=0)
            for name in ("held", "held_today", *(("firm", "firm_today") if purpose == "allowance" else ())):
                one[name] = one.get(name, 0) + amount
        hold = {"amount": amount, "day": day, "target": "", "open": 1, "expires": expires}
        row = (account, campaign, purpose, opportunity, 1, expires, orjson.dumps(hold))
        db.execute("INSERT OR IGNORE INTO hold VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    rows = [(key, orjson.dumps(value)) for key, value in books.items() if value]
    db.executemany("INSERT OR REPLACE INTO book VALUES (?, ?)", rows)
    db.execute("DROP TABLE reservation")
