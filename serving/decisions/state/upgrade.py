"""Tables of the embedded store, and the upgrade of files of earlier versions.

Earlier versions have reservations that expire after minutes, instead of holds with a day and a purpose. Open ones
become holds of bids of the current day, so that the money stays held until they are settled. Files of later versions
are refused.
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
    """Upgrade an open file in one transaction.

    Args:
        expires: when holds from earlier versions are due, by the store's clock.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError(f"it has version {version} of a later adloop: use that adloop")
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
    """Convert open reservations to holds. Their sums become the held money of campaigns and accounts."""
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
